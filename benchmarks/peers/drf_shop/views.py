from __future__ import annotations

from secrets import token_hex

from django.db import transaction
from django.db.models import Count, F
from django.shortcuts import get_object_or_404
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    ValidationError,
)
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.peers import rules, tokens

from .models import (
    Customer,
    Mechanic,
    Part,
    ServiceTicket,
    Session,
    StockMovement,
    TicketEvent,
    TicketPart,
    User,
)
from .serializers import (
    CustomerSerializer,
    EditSerializer,
    InstallSerializer,
    LoginSerializer,
    MechanicSerializer,
    PartSerializer,
    RankedMechanicSerializer,
    ServiceTicketSerializer,
    UserSerializer,
)


class Conflict(APIException):
    status_code = 409


class ShopPagination(PageNumberPagination):
    page_size = 10
    name = "results"

    def get_paginated_response(self, data):
        paginator = self.page.paginator
        block = rules.pagination(
            self.name, self.page.number, paginator.per_page, paginator.count
        )
        return Response({self.name: data, "pagination": block})


class CustomerPagination(ShopPagination):
    name = "customers"


class TicketPagination(ShopPagination):
    name = "service_tickets"


class PartPagination(ShopPagination):
    name = "parts"


class MechanicViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = Mechanic.objects.order_by("pk")
    serializer_class = MechanicSerializer

    @action(detail=False, url_path="by-activity")
    def by_activity(self, request):
        counted = Mechanic.objects.annotate(ticket_count=Count("ticket_mechanics"))
        rows = counted.order_by("-ticket_count", "pk")
        return Response(RankedMechanicSerializer(rows, many=True).data)


class CustomerViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = Customer.objects.filter(erased_at=None).order_by("pk")
    serializer_class = CustomerSerializer
    pagination_class = CustomerPagination


class PartViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = Part.objects.order_by("pk")
    serializer_class = PartSerializer
    pagination_class = PartPagination

    def filter_queryset(self, queryset):
        if self.action == "list":
            queryset = queryset.filter(is_active=True)
        if self.request.query_params.get("low_stock") == "true":
            queryset = queryset.filter(quantity_in_stock__lte=F("reorder_level"))
        return queryset


class ServiceTicketViewSet(viewsets.ModelViewSet):
    queryset = (
        ServiceTicket.objects.select_related("vehicle", "customer")
        .prefetch_related("ticket_mechanics__mechanic", "ticket_parts__part")
        .order_by("-opened_at", "-pk")
    )
    serializer_class = ServiceTicketSerializer
    pagination_class = TicketPagination

    def filter_queryset(self, queryset):
        if status := self.request.query_params.get("status"):
            queryset = queryset.filter(status__in=status.split(","))
        return queryset

    @transaction.atomic
    def perform_create(self, serializer):
        vehicle = serializer.validated_data["vehicle"]
        ticket = serializer.save(customer=vehicle.customer)
        self.record(ticket, "opened", {"status": ticket.status}, visible=True)

    @action(detail=True, methods=["post"], url_path="parts/(?P<part_id>[0-9]+)")
    @transaction.atomic
    def install_part(self, request, pk, part_id):
        body = self.validated(InstallSerializer)
        ticket = self.lock_open(pk)
        part = get_object_or_404(Part, pk=part_id)
        if TicketPart.objects.filter(ticket=ticket, part=part).exists():
            raise Conflict
        quantity = body["quantity_used"]
        on_hand = Part.objects.filter(pk=part.pk, quantity_in_stock__gte=quantity)
        if not on_hand.update(quantity_in_stock=F("quantity_in_stock") - quantity):
            raise Conflict
        part.refresh_from_db()
        StockMovement.objects.create(
            part=part,
            ticket=ticket,
            by=request.user,
            delta=-quantity,
            quantity_after=part.quantity_in_stock,
            reason="install",
        )
        line = TicketPart.objects.create(
            ticket=ticket, part=part, unit_cost_cents=part.current_cost_cents, **body
        )
        detail = {
            "part_id": part.pk,
            "part_number": part.part_number,
            "part_name": part.name,
            "quantity_used": quantity,
            "unit_cost_cents": line.unit_cost_cents,
            "total_cost_cents": line.total_cost_cents,
        }
        self.record(ticket, "part_installed", detail)
        answer = {
            "message": f"{quantity} × {part.name} installed.",
            "ticket_id": ticket.pk,
            "part_id": part.pk,
            "part_name": part.name,
            "quantity_used": quantity,
            "unit_cost_cents": line.unit_cost_cents,
            "total_cost": line.total_cost_cents / 100,
            "total_cost_cents": line.total_cost_cents,
            "remaining_stock": part.quantity_in_stock,
        }
        return Response(answer, status=201)

    @action(detail=True, methods=["put"])
    @transaction.atomic
    def edit(self, request, pk):
        body = self.validated(EditSerializer)
        ticket = self.lock_open(pk)
        add, remove = set(body["add_ids"]), set(body["remove_ids"])
        mechanics = Mechanic.objects.in_bulk(add | remove)
        if mechanics.keys() != add | remove:
            raise ValidationError("Unknown mechanics.")
        present = {row.mechanic_id: row for row in ticket.ticket_mechanics.all()}
        to_add, to_remove = (
            sorted(add - present.keys()),
            sorted(remove & present.keys()),
        )
        for mechanic_id in to_remove:
            row = present[mechanic_id]
            detail = detail_of(mechanics[mechanic_id], row.role, row.minutes_worked)
            self.record(ticket, "mechanic_removed", detail)
            row.delete()
        role, minutes = body["role"], body["minutes_worked"]
        for mechanic_id in to_add:
            ticket.ticket_mechanics.create(
                mechanic_id=mechanic_id, role=role, minutes_worked=minutes
            )
            detail = detail_of(mechanics[mechanic_id], role, minutes)
            self.record(ticket, "mechanic_assigned", detail)
        shown = self.get_queryset().get(pk=pk)
        return Response(
            {
                "message": f"{len(to_add)} added, {len(to_remove)} removed.",
                "ticket_id": ticket.pk,
                "added_mechanics": to_add,
                "removed_mechanics": to_remove,
                "unchanged": sorted((add | remove) - {*to_add, *to_remove}),
                "ticket": self.get_serializer(shown).data,
            }
        )

    def validated(self, serializer_class):
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def lock_open(self, pk):
        ticket = get_object_or_404(ServiceTicket.objects.select_for_update(), pk=pk)
        if ticket.is_closed:
            raise Conflict
        return ticket

    def record(self, ticket, kind, detail, *, visible=False):
        ticket.save(update_fields=["updated_at"])
        TicketEvent.objects.create(
            ticket=ticket,
            by=self.request.user,
            kind=kind,
            detail=detail,
            visible_to_customer=visible,
        )


def detail_of(mechanic, role, minutes):
    return {
        "mechanic_id": mechanic.pk,
        "full_name": mechanic.full_name,
        "role": role,
        "minutes_worked": minutes,
    }


class LoginView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    def post(self, request):
        serializer = LoginSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        body = serializer.validated_data
        email = body["email"].lower()
        user = User.objects.filter(email=email, is_active=True).first()
        if user is None:
            raise AuthenticationFailed
        try:
            tokens.check_password(body["password"], user.password)
        except tokens.Refused as error:
            raise AuthenticationFailed from error
        session = Session.objects.create(user=user, refresh_jti=token_hex(16))
        customer = Customer.objects.filter(user=user).first()
        shown = UserSerializer(user).data
        pair = tokens.pair(
            *(session.pk, session.refresh_jti, user.pk),
            *(customer and customer.pk, shown["role"]),
        )
        return Response(
            {
                "message": "Signed in.",
                **pair,
                "customer": customer and CustomerSerializer(customer).data,
                "user": shown,
            }
        )


class MeView(APIView):
    def get(self, request):
        customer = Customer.objects.filter(user=request.user).first()
        mechanic = Mechanic.objects.filter(user=request.user).first()
        return Response(
            {
                "customer_id": None,
                "mechanic_id": mechanic and mechanic.pk,
                **UserSerializer(request.user).data,
                **(CustomerSerializer(customer).data if customer else {}),
            }
        )

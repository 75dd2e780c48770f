"""Views of service tickets, and their actions on mechanics, parts and the timeline."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from customers.models import Customer
from inventory.models import Part
from mechanic_shop.api.atomic_writes import atomic_write
from mechanic_shop.api.pagination import PreparedList
from mechanic_shop.api.permissions import AUTHENTICATED
from mechanic_shop.api.routers import route
from mechanic_shop.api.serializers import StrictSerializer
from mechanic_shop.api.throttling import UserThrottle
from mechanic_shop.api.viewsets import ShopModelViewSet, ShopViewSet
from mechanic_shop.core.locking import lock_row
from mechanic_shop.core.prepared_queries import PreparedQuery
from mechanics.models import Mechanic

from . import schema, services
from .filters import TicketFilterSet
from .models import ServiceTicket, prefetch_lines
from .permissions import required_permissions
from .serializers import (
    AddInventorySerializer,
    AddPartSerializer,
    AssignedMechanicSerializer,
    AssignMechanicSerializer,
    ChangeAssignmentSerializer,
    ChangeTicketPartSerializer,
    EditedMechanicsSerializer,
    EditMechanicsSerializer,
    InstalledPartSerializer,
    InstallPartSerializer,
    NoteSerializer,
    RemovedMechanicSerializer,
    ServiceTicketSerializer,
    TicketEventSerializer,
    TicketMechanicSerializer,
    TicketPartSerializer,
)

Status = ServiceTicket.Status
TICKET_BY_ID = PreparedQuery(
    lambda pk: ServiceTicket.objects.with_customer().filter(pk=pk)
)

TICKETS = PreparedList(
    lambda: ServiceTicket.objects.with_customer().order_by("-opened_at", "-pk")
)
TICKETS_IN_PROGRESS = PreparedList(
    lambda: TICKETS.build().filter(status__in=[Status.IN_PROGRESS])
)


class CreateTicketThrottle(UserThrottle):
    rule = "CREATE_TICKET"


class TicketViewSetBase(ShopViewSet[ServiceTicket]):
    """The queryset, serializer and filters that all views of tickets share."""

    results_key = "service_tickets"
    queryset = ServiceTicket.objects.order_by("-opened_at", "-pk")
    serializer_class = ServiceTicketSerializer
    filterset_class = TicketFilterSet

    def get_queryset(self) -> QuerySet[ServiceTicket]:
        rows: Any = super().get_queryset()
        return rows.with_customer()  # type: ignore[no-any-return]

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        if self.action == "list":
            prefetch_lines(page or [])
        return page

    def response_with_ticket(
        self,
        serializer_class: type[BaseSerializer[Any]],
        ticket: ServiceTicket,
        **data: Any,
    ) -> Response:
        """Return a response with the result of an action and the whole ticket."""
        data |= {"ticket_id": ticket.pk, "ticket": self.get_detail_row(ticket.pk)}
        context = self.get_serializer_context()
        return Response(serializer_class(data, context=context).data)


class MechanicActionsMixin(TicketViewSetBase):
    """Who works on a ticket."""

    def get_mechanic(self, mechanic_id: str) -> Mechanic:
        visible = Mechanic.objects.visible_to(self.request.user)
        return get_object_or_404(visible, pk=mechanic_id)

    @schema.assign_mechanic
    @action(
        detail=True,
        methods=["put"],
        url_path="assign-mechanic/(?P<mechanic_id>[0-9]+)",
        serializer_class=AssignMechanicSerializer,
    )
    @atomic_write
    def assign_mechanic(self, request: Request, pk: str, mechanic_id: str) -> Response:
        """Put a mechanic on this ticket."""
        ticket = self.get_object()
        body = self.get_validated(AssignMechanicSerializer)
        mechanic = self.get_mechanic(mechanic_id)
        assignment = services.assign_mechanic(
            ticket=ticket, mechanic=mechanic, by=self.user, **body
        )
        return self.response_with_ticket(
            AssignedMechanicSerializer,
            ticket,
            message=f"{mechanic.full_name} is on the ticket.",
            mechanic_id=mechanic.pk,
            role=assignment.role,
            minutes_worked=assignment.minutes_worked,
        )

    @schema.remove_mechanic
    @action(
        detail=True,
        methods=["put"],
        url_path="remove-mechanic/(?P<mechanic_id>[0-9]+)",
        serializer_class=StrictSerializer,
    )
    @atomic_write
    def remove_mechanic(self, request: Request, pk: str, mechanic_id: str) -> Response:
        """Take a mechanic off this ticket; the timeline keeps the minutes."""
        ticket = self.get_object()
        self.get_validated(StrictSerializer)
        mechanic = self.get_mechanic(mechanic_id)
        services.remove_mechanic(ticket=ticket, mechanic=mechanic, by=self.user)
        return self.response_with_ticket(
            RemovedMechanicSerializer,
            ticket,
            message=f"{mechanic.full_name} is off the ticket.",
            mechanic_id=mechanic.pk,
        )

    @schema.edit
    @action(detail=True, methods=["put"], serializer_class=EditMechanicsSerializer)
    @atomic_write
    def edit(self, request: Request, pk: str) -> Response:
        """Add and remove several mechanics, all or nothing."""
        ticket = self.get_object()
        body = self.get_validated(EditMechanicsSerializer)
        edit = services.edit_mechanics(ticket=ticket, by=self.user, **body)
        return self.response_with_ticket(
            EditedMechanicsSerializer,
            ticket,
            message=f"{len(edit.added)} added, {len(edit.removed)} removed.",
            added_mechanics=edit.added,
            removed_mechanics=edit.removed,
            unchanged=edit.unchanged,
        )

    @schema.change_assignment
    @action(
        detail=True,
        methods=["patch"],
        url_path="mechanics/(?P<mechanic_id>[0-9]+)",
        serializer_class=ChangeAssignmentSerializer,
    )
    @atomic_write
    def change_assignment(
        self, request: Request, pk: str, mechanic_id: str
    ) -> Response:
        """Change a mechanic's role or minutes on this ticket."""
        ticket = self.get_object()
        body = self.get_validated(ChangeAssignmentSerializer)
        mechanic = self.get_mechanic(mechanic_id)
        assignment = get_object_or_404(ticket.ticket_mechanics, mechanic=mechanic)
        same_role = body.get("role", assignment.role) == assignment.role
        if not (mechanic.belongs_to(request.user) and same_role):
            self.require_permission("tickets.change_ticketmechanic")
        assignment = services.change_assignment(
            ticket=ticket, mechanic=mechanic, by=self.user, **body
        )
        return Response(TicketMechanicSerializer(assignment).data)


class PartActionsMixin(TicketViewSetBase):
    """What is installed on a ticket."""

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """A part is changed by another body than it is installed with."""
        is_change = self.action == "change_installed_part"
        return (
            ChangeTicketPartSerializer if is_change else super().get_serializer_class()
        )

    def get_part(self, part_id: str) -> Part:
        visible = Part.objects.visible_to(self.request.user)
        return get_object_or_404(visible, pk=part_id)

    def install(self, ticket: ServiceTicket, **body: Any) -> Response:
        line = services.install_part(ticket=ticket, by=self.user, **body)
        return Response(
            InstalledPartSerializer(line).data, status=status.HTTP_201_CREATED
        )

    @schema.install_part
    @action(
        detail=True,
        methods=["post"],
        url_path="parts/(?P<part_id>[0-9]+)",
        serializer_class=InstallPartSerializer,
    )
    @atomic_write
    def install_part(self, request: Request, pk: str, part_id: str) -> Response:
        """Install a part on this ticket at today's cost."""
        ticket = self.get_object()
        body = self.get_validated(InstallPartSerializer)
        return self.install(ticket, part=self.get_part(part_id), **body)

    @schema.change_installed_part
    @install_part.mapping.patch
    @atomic_write
    def change_installed_part(
        self, request: Request, pk: str, part_id: str
    ) -> Response:
        """Change an installed part; a difference in quantity moves stock."""
        ticket = self.get_object()
        body = self.get_validated(ChangeTicketPartSerializer)
        line = services.change_installed_part(
            ticket=ticket, part=self.get_part(part_id), by=self.user, **body
        )
        context = self.get_serializer_context()
        return Response(TicketPartSerializer(line, context=context).data)

    @schema.remove_part
    @install_part.mapping.delete
    @atomic_write
    def remove_part(self, request: Request, pk: str, part_id: str) -> Response:
        """Take a part off this ticket; its units go back on the shelf."""
        ticket = self.get_object()
        part = self.get_part(part_id)
        services.remove_part(ticket=ticket, part=part, by=self.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @schema.add_inventory
    @action(
        detail=True,
        methods=["post"],
        url_path="parts",
        serializer_class=AddInventorySerializer,
    )
    @atomic_write
    def add_inventory(self, request: Request, pk: str) -> Response:
        """Install a part named in the body; system B's request."""
        ticket = self.get_object()
        return self.install(ticket, **self.get_validated(AddInventorySerializer))

    @schema.add_part
    @action(
        detail=True,
        methods=["post"],
        url_path="add-part/(?P<part_id>[0-9]+)",
        serializer_class=AddPartSerializer,
    )
    @atomic_write
    def add_part(self, request: Request, pk: str, part_id: str) -> Response:
        """Install a part, one unit by default; system B's request."""
        ticket = self.get_object()
        body = self.get_validated(AddPartSerializer)
        return self.install(ticket, part=self.get_part(part_id), **body)


class TimelineActionsMixin(TicketViewSetBase):
    """What happened on a ticket."""

    @schema.notes
    @action(detail=True, methods=["post"], serializer_class=NoteSerializer)
    @atomic_write
    def notes(self, request: Request, pk: str) -> Response:
        """Write a note on this ticket."""
        ticket = self.get_object()
        body = self.get_validated(NoteSerializer)
        event = services.add_note(ticket=ticket, by=self.user, **body)
        context = self.get_serializer_context()
        return Response(
            TicketEventSerializer(event, context=context).data,
            status=status.HTTP_201_CREATED,
        )

    @schema.events
    @action(detail=True, filterset_class=None, results_key="events")
    def events(self, request: Request, pk: str) -> Response:
        """List the events of this ticket, newest first."""
        rows = self.get_object().events.visible_to(self.user)
        return self.paginated_response(
            rows.select_related("by").order_by("-pk"),
            TicketEventSerializer,
        )


# Both systems' clients write service_tickets; both spellings are served.
@route("service[-_]tickets")
@schema.tickets
class ServiceTicketViewSet(
    MechanicActionsMixin,
    PartActionsMixin,
    TimelineActionsMixin,
    ShopModelViewSet[ServiceTicket],
):
    #: Any of these allows an update; each changed field then needs its own permission.
    UPDATE_PERMISSIONS = (
        "tickets.change_serviceticket",
        "tickets.work_ticket",
        "tickets.cancel_ticket",
        "tickets.reopen_ticket",
    )
    action_permissions = {
        "update": UPDATE_PERMISSIONS,
        "partial_update": UPDATE_PERMISSIONS,
        "edit": "tickets.assign_mechanic",
        "assign_mechanic": "tickets.assign_mechanic",
        "remove_mechanic": "tickets.assign_mechanic",
        "change_assignment": ("tickets.log_minutes", "tickets.change_ticketmechanic"),
        "install_part": "tickets.install_part",
        "add_part": "tickets.install_part",
        "add_inventory": "tickets.install_part",
        "change_installed_part": "tickets.install_part",
        "remove_part": "tickets.remove_part",
        "notes": "tickets.add_note",
        "events": "tickets.view_ticketevent",
    }
    action_throttles = {"create": CreateTicketThrottle}
    detail_query = TICKET_BY_ID
    list_queries = {"": TICKETS, "status=in_progress": TICKETS_IN_PROGRESS}

    def perform_create(self, serializer: BaseSerializer[ServiceTicket]) -> None:
        body = dict(serializer.validated_data)
        if body.get("status", Status.OPEN) != Status.OPEN:
            self.require_permission("tickets.work_ticket")
        serializer.instance = services.open_ticket(by=self.user, **body)

    def perform_update(self, serializer: BaseSerializer[ServiceTicket]) -> None:
        assert serializer.instance is not None
        body = dict(serializer.validated_data)
        # Locked first: the permission for a new status depends on the old one.
        ticket = lock_row(serializer.instance)
        for permission in required_permissions(ticket, body):
            self.require_permission(permission)
        services.update_ticket(ticket=ticket, by=self.user, **body)

    def perform_destroy(self, instance: ServiceTicket) -> None:
        services.delete_ticket(ticket=instance)


@route(
    "customers/(?P<customer_id>[0-9]+)/service[-_]tickets", basename="customer-ticket"
)
@schema.customer_tickets
class CustomerTicketViewSet(mixins.ListModelMixin, TicketViewSetBase):
    """The tickets of one customer."""

    action_permissions = {"list": "tickets.view_serviceticket"}

    def get_queryset(self) -> QuerySet[ServiceTicket]:
        customer = get_object_or_404(
            Customer.objects.visible_to(self.request.user),
            pk=self.kwargs["customer_id"],
        )
        return super().get_queryset().filter(customer=customer)


@route("customers/my-tickets", basename="my-ticket")
@schema.my_tickets
class MyTicketViewSet(mixins.ListModelMixin, TicketViewSetBase):
    """The tickets of the customer who is signed in, whatever else they may see."""

    action_permissions = {"list": AUTHENTICATED}

    def get_queryset(self) -> QuerySet[ServiceTicket]:
        return super().get_queryset().filter(customer__user=self.request.user.pk)

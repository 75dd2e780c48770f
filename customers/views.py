"""Views of registration, login, customers and vehicles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from mechanic_shop.accounts import permission_loading
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.serializers import LoginSerializer
from mechanic_shop.accounts.services import (
    check_credentials,
    check_current_password,
    sign_in,
)
from mechanic_shop.api.atomic_writes import atomic_write
from mechanic_shop.api.login_throttling import clear_login_attempt, login_attempt
from mechanic_shop.api.pagination import PreparedList
from mechanic_shop.api.permissions import ALLOW_ANY, AUTHENTICATED
from mechanic_shop.api.routers import route
from mechanic_shop.api.throttling import AddressThrottle, UserThrottle
from mechanic_shop.api.viewsets import (
    ListMixin,
    RetrieveMixin,
    ShopModelViewSet,
    ShopViewSet,
    UpdateMixin,
)
from mechanic_shop.core.prepared_queries import PreparedQuery

from . import schema, services
from .filters import CustomerFilterSet, VehicleFilterSet
from .models import Customer, Vehicle
from .serializers import (
    CustomerSerializer,
    MeSerializer,
    RegisterSerializer,
    ShopVehicleSerializer,
    SignedInSerializer,
    SystemBSignedInSerializer,
    UpdateCustomerSerializer,
    VehicleSerializer,
)

#: A user with the customer, the mechanic and the groups that belong to the login.
USER_WITH_PROFILE = PreparedQuery(
    lambda pk: (
        User.objects.select_related("customer", "mechanic")
        .annotate(group_names_json=permission_loading.group_names_column("pk"))
        .filter(pk=pk)
    )
)
CUSTOMER_BY_ID = PreparedQuery(lambda pk: Customer.objects.not_erased().filter(pk=pk))

CUSTOMERS = PreparedList(lambda: Customer.objects.not_erased().order_by("pk"))


def authenticate(request: Request, credentials: dict[str, str]) -> User:
    """:raises Throttled: after too many failures on this account"""
    with login_attempt(request, credentials["email"]):
        return check_credentials(**credentials)


VEHICLES = PreparedList(
    lambda: (
        Vehicle.objects.select_related("customer")
        .filter(customer__erased_at=None)
        .order_by("pk")
    )
)


def login_response_data(user: User, message: str) -> dict[str, Any]:
    """Start a session and return the data of the response."""
    pair = sign_in(user=user)
    return {
        "message": message,
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
        "customer": getattr(user, "customer", None),
        "user": user,
    }


class RegisterThrottle(AddressThrottle):
    rule = "REGISTER"


class LoginThrottle(AddressThrottle):
    rule = "LOGIN"


class ConfirmPasswordThrottle(UserThrottle):
    """Count the changes that are confirmed by a password, with those of passwords."""

    rule = "PASSWORD"

    def allow_request(self, request: Request, view: APIView) -> bool:
        is_confirmed = current_password_in(request) is not None
        return not is_confirmed or super().allow_request(request, view)


def current_password_in(request: Request) -> str | None:
    """Return the current password of a body, which may be anything."""
    body = request.data
    typed = body.get("current_password") if isinstance(body, Mapping) else None
    return typed if isinstance(typed, str) else None


class CreateCustomerThrottle(UserThrottle):
    rule = "CREATE_CUSTOMER"


@route("auth", basename="auth")
class AuthViewSet(ShopViewSet[Customer]):
    action_permissions = {
        "register": ALLOW_ANY,
        "login": ALLOW_ANY,
        "me": AUTHENTICATED,
    }
    action_throttles = {"register": RegisterThrottle, "login": LoginThrottle}
    queryset = Customer.objects.none()
    serializer_class = LoginSerializer

    @schema.register
    @action(
        detail=False,
        methods=["post"],
        authentication_classes=[],
        serializer_class=RegisterSerializer,
    )
    def register(self, request: Request) -> Response:
        """Create a customer with a login and sign them in."""
        body = self.get_validated(RegisterSerializer)
        customer = services.register_customer(**body)
        assert customer.user is not None
        clear_login_attempt(request, customer.user.email)
        data = login_response_data(customer.user, "Welcome! Your account is ready.")
        return Response(SignedInSerializer(data).data, status=status.HTTP_201_CREATED)

    @schema.login
    @action(detail=False, methods=["post"], authentication_classes=[])
    def login(self, request: Request) -> Response:
        """Sign in with email address and password."""
        user = authenticate(request, self.get_validated(LoginSerializer))
        return Response(
            SignedInSerializer(login_response_data(user, "Signed in.")).data
        )

    @schema.me
    @action(detail=False, methods=["get"], pagination_class=None)
    def me(self, request: Request) -> Response:
        """Show the user who is signed in."""
        user = USER_WITH_PROFILE.first(self.user.pk)
        assert user is not None, "the authenticated user exists"
        user.group_names = permission_loading.parse_json_arrays(user.group_names_json)
        return Response(MeSerializer(user).data)


@route("customers")
@schema.customers
class CustomerViewSet(ShopModelViewSet[Customer]):
    action_permissions = {"login": ALLOW_ANY}
    action_throttles = {
        "create": CreateCustomerThrottle,
        "update": ConfirmPasswordThrottle,
        "partial_update": ConfirmPasswordThrottle,
        "login": LoginThrottle,
    }
    results_key = "customers"
    queryset = Customer.objects.order_by("pk")
    detail_query = CUSTOMER_BY_ID
    list_queries = {"": CUSTOMERS}
    serializer_class = CustomerSerializer
    filterset_class = CustomerFilterSet

    def get_serializer_class(self) -> type[BaseSerializer[Customer]]:
        if self.action in {"update", "partial_update"}:
            return UpdateCustomerSerializer
        return super().get_serializer_class()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check a password before the transaction: that takes tens of milliseconds."""
        super().initial(request, *args, **kwargs)
        password = None
        if self.action in {"update", "partial_update"}:
            password = current_password_in(request)
        if password is not None:
            # A key for retries lifts no limit on guesses.
            self.raise_deferred_throttle()
            check_current_password(user=self.user, password=password)
        self.has_confirmed = password is not None

    def perform_update(self, serializer: BaseSerializer[Customer]) -> None:
        assert serializer.instance is not None
        changes = dict(serializer.validated_data)
        changes.pop("current_password", None)
        services.update_customer(
            customer=serializer.instance,
            by=self.user,
            has_confirmed=self.has_confirmed,
            **changes,
        )

    def perform_destroy(self, instance: Customer) -> None:
        services.delete_customer(customer=instance)

    @schema.login_of_system_b
    @action(
        detail=False,
        methods=["post"],
        authentication_classes=[],
        serializer_class=LoginSerializer,
    )
    def login(self, request: Request) -> Response:
        """Sign in; system B's path, which also returns ``token``."""
        user = authenticate(request, self.get_validated(LoginSerializer))
        return Response(
            SystemBSignedInSerializer(login_response_data(user, "Signed in.")).data
        )


class VehicleViewSetBase(ShopViewSet[Vehicle]):
    """The queryset and the locking that all views of vehicles share."""

    queryset = Vehicle.objects.select_related("customer").order_by("pk")

    def lock(self, row: Vehicle) -> None:
        services.lock_vehicle(row)

    def perform_update(self, serializer: BaseSerializer[Vehicle]) -> None:
        assert serializer.instance is not None
        services.update_vehicle(
            vehicle=serializer.instance, **serializer.validated_data
        )


@route(r"customers/(?P<customer_id>[0-9]+)/vehicles", basename="customer-vehicle")
@schema.customer_vehicles
class CustomerVehicleViewSet(VehicleViewSetBase, ShopModelViewSet[Vehicle]):
    """The vehicles of the customer in the path."""

    pagination_class = None  # type: ignore[assignment]
    serializer_class = VehicleSerializer

    def get_queryset(self) -> QuerySet[Vehicle]:
        # A subquery, because a huge id would overflow as the value of a foreign key.
        customers = Customer.objects.filter(pk=self.kwargs["customer_id"])
        return super().get_queryset().filter(customer__in=customers)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.get_customer()
        return super().list(request, *args, **kwargs)

    def get_customer(self) -> Customer:
        customer = get_object_or_404(
            Customer.objects.visible_to(self.request.user),
            pk=self.kwargs["customer_id"],
        )
        self.check_object_permissions(self.request, customer)
        return customer

    @atomic_write
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.customer = self.get_customer()
        return super().create(request, *args, **kwargs)

    def perform_create(self, serializer: BaseSerializer[Vehicle]) -> None:
        vehicle = Vehicle(customer=self.customer, **serializer.validated_data)
        serializer.instance = services.add_vehicle(vehicle=vehicle)

    def perform_destroy(self, instance: Vehicle) -> None:
        services.delete_vehicle(vehicle=instance)


@route("vehicles")
@schema.vehicles
class VehicleViewSet(ListMixin, RetrieveMixin, UpdateMixin, VehicleViewSetBase):
    """Vehicles across the shop."""

    http_method_names = ["get", "patch", "head", "options"]
    results_key = "vehicles"
    list_queries = {"": VEHICLES}
    serializer_class = ShopVehicleSerializer
    filterset_class = VehicleFilterSet

    def perform_update(self, serializer: BaseSerializer[Vehicle]) -> None:
        assert serializer.instance is not None
        vehicle, changes = serializer.instance, dict(serializer.validated_data)
        new_owner = changes.pop("customer", vehicle.customer)
        if new_owner != vehicle.customer:
            self.require_permission("customers.change_vehicle")
            vehicle = services.change_owner(vehicle=vehicle, customer=new_owner)
        services.update_vehicle(vehicle=vehicle, **changes)

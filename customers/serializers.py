"""Serializers of customers and vehicles."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.fields import Field

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.serializers import (
    NewPasswordField,
    PasswordField,
    RoleField,
    UserSerializer,
)
from mechanic_shop.api.serializers import (
    BlankIsNullMixin,
    ReadOnlyModelSerializer,
    StrictModelSerializer,
    VisibleRelatedField,
)

from . import vin as vins
from .models import Customer, Vehicle, vin_error

VIN_CHECKS = tuple(check.value for check in vins.VinCheck)


class CustomerSerializer(StrictModelSerializer[Customer]):
    customer_id = serializers.IntegerField(source="pk", read_only=True)

    class Meta:
        model = Customer
        fields = [
            "customer_id",
            "first_name",
            "last_name",
            "email",
            "phone",
            "address",
            "city",
            "state",
            "postal_code",
            "created_at",
            "updated_at",
        ]


@extend_schema_serializer(component_name="Customer")
class UpdateCustomerSerializer(CustomerSerializer):
    current_password = PasswordField(
        required=False,
        help_text="Needed by customers who change the email address of their login.",
    )

    class Meta(CustomerSerializer.Meta):
        fields = [*CustomerSerializer.Meta.fields, "current_password"]


class BriefCustomerSerializer(ReadOnlyModelSerializer[Customer]):
    customer_id = serializers.IntegerField(source="pk", read_only=True)

    class Meta:
        model = Customer
        fields = ["customer_id", "first_name", "last_name", "phone"]


@extend_schema_field(
    {"type": "string", "pattern": r"^[A-HJ-NPR-Za-hj-npr-z0-9\s-]*$", "maxLength": 64}
)
class VinField(BlankIsNullMixin):
    """A VIN as people type it: case, spaces and dashes do not matter."""

    def is_blank(self, text: str) -> bool:
        return not vins.normalize_vin(text)

    def to_internal_value(self, data: Any) -> str:
        return vins.normalize_vin(super().to_internal_value(data))


class VehicleSerializer(StrictModelSerializer[Vehicle]):
    """A vehicle of the customer in the path, who cannot be changed here."""

    vehicle_id = serializers.IntegerField(source="pk", read_only=True)
    customer_id = serializers.IntegerField(read_only=True)
    vin = VinField(max_length=64, required=False, allow_null=True, allow_blank=True)
    vin_check = serializers.ChoiceField(choices=VIN_CHECKS, read_only=True)

    class Meta:
        model = Vehicle
        fields = [
            "vehicle_id",
            "customer_id",
            "vin",
            "make",
            "model",
            "year",
            "color",
            "license_plate",
            "mileage",
            "vin_check",
            "created_at",
            "updated_at",
        ]
        ignored_input_fields = ("vin_check",)
        # The model validates the year; this limit is for numbers that are no year.
        extra_kwargs = {"year": {"max_value": 9999, "help_text": "Up to next year."}}

    def _changes(self, field: Field[Any, Any, Any, Any], sent: Any) -> bool:
        """Let a new vehicle name the customer of its path."""
        if self.instance is None and field.field_name == "customer_id":
            return str(sent) != str(self.context["view"].kwargs.get("customer_id"))
        return super()._changes(field, sent)

    def validate_vin(self, vin: str | None) -> str | None:
        others = Vehicle.objects.filter(vin=vin)
        if isinstance(self.instance, Vehicle):
            others = others.exclude(pk=self.instance.pk)
        if vin and others.exists():
            raise serializers.ValidationError(
                "A vehicle with this VIN exists already.", code="unique"
            )
        return vin

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        def value(name: str) -> Any:
            return attrs.get(name, getattr(self.instance, name, None))

        error = vin_error(value("vin"), value("year"))
        if error and {"vin", "year"} & attrs.keys():
            raise serializers.ValidationError({"vin": [error]})
        return attrs


class ShopVehicleSerializer(VehicleSerializer):
    """A vehicle of any customer; it may be given another owner."""

    customer_id: VisibleRelatedField[Customer] = VisibleRelatedField(  # type: ignore[assignment]
        source="customer", queryset=Customer.objects.all()
    )


class RegisterSerializer(StrictModelSerializer[Customer]):
    password = NewPasswordField()

    class Meta:
        model = Customer
        fields = [
            "first_name",
            "last_name",
            "email",
            "phone",
            "address",
            "city",
            "state",
            "postal_code",
            "password",
        ]
        # The service rejects a taken address, so that it can also mail its owner.
        extra_kwargs = {
            "email": {
                "required": True,
                "allow_null": False,
                "allow_blank": False,
                "validators": [],
            }
        }


class SignedInSerializer(serializers.Serializer[Any]):
    """The response to registering and signing in."""

    message = serializers.CharField()
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    customer = CustomerSerializer(allow_null=True)
    user = UserSerializer()


class SystemBSignedInSerializer(SignedInSerializer):
    """The same, with the ``token`` that system B's clients read."""

    token = serializers.CharField(source="access_token")


@extend_schema_serializer(component_name="Me")
class MeResponseSerializer(CustomerSerializer):
    """The user who is signed in; customer fields only where there is a customer."""

    user_id = serializers.IntegerField()
    mechanic_id = serializers.IntegerField(allow_null=True)
    customer_id = serializers.IntegerField(allow_null=True)
    role = RoleField()
    is_staff = serializers.BooleanField()

    class Meta(CustomerSerializer.Meta):
        fields = [
            "user_id",
            "mechanic_id",
            "role",
            "is_staff",
            *CustomerSerializer.Meta.fields,
        ]
        schema_not_null = ("email",)
        schema_optional = tuple(
            set(CustomerSerializer.Meta.fields)
            - {"customer_id", "email", "first_name", "last_name"}
        )


class MeSerializer(ReadOnlyModelSerializer[User]):
    """The user who is signed in, with the fields of their customer if there is one."""

    user_id = serializers.IntegerField(source="pk")
    customer_id = serializers.SerializerMethodField()
    mechanic_id = serializers.SerializerMethodField()
    role = RoleField()

    class Meta:
        model = User
        fields = [
            "user_id",
            "customer_id",
            "mechanic_id",
            "email",
            "first_name",
            "last_name",
            "role",
            "is_staff",
        ]
        read_only_fields = fields

    def get_mechanic_id(self, user: User) -> int | None:
        mechanic = getattr(user, "mechanic", None)
        return mechanic.pk if mechanic else None

    def get_customer_id(self, user: User) -> int | None:
        customer = getattr(user, "customer", None)
        return customer.pk if customer else None

    def to_representation(self, user: User) -> dict[str, Any]:
        login = super().to_representation(user)
        customer = getattr(user, "customer", None)
        if customer is None:
            return login
        return {**login, **CustomerSerializer(customer).data}

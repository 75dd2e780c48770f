"""Serializers of tickets, their lines and their timeline."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from customers.models import Customer, Vehicle
from customers.serializers import BriefCustomerSerializer
from inventory.models import Part
from inventory.serializers import ActorSerializer
from mechanic_shop.api.plain_fields import (
    DecimalNumberField,
    SentBooleanField,
    WholeNumberField,
)
from mechanic_shop.api.serializers import (
    ReadOnlyModelSerializer,
    StrictModelSerializer,
    StrictSerializer,
    UTCDateTimeField,
    VisibleRelatedField,
)
from mechanic_shop.core.one_line import validate_one_line
from mechanics.models import Mechanic
from mechanics.serializers import BriefMechanicSerializer

from .models import (
    DEFAULT_MARKUP,
    DEFAULT_ROLE,
    MAX_MARKUP,
    MAX_MINUTES,
    MAX_QUANTITY,
    MAX_WARRANTY_MONTHS,
    ServiceTicket,
    TicketEvent,
    TicketMechanic,
    TicketPart,
)

COST_FIELDS = ("unit_cost_cents", "markup_percentage")


class TicketMechanicSerializer(ReadOnlyModelSerializer[TicketMechanic]):
    ticket_id = serializers.IntegerField()
    mechanic_id = serializers.IntegerField()
    mechanic = BriefMechanicSerializer()

    class Meta:
        model = TicketMechanic
        fields = ["ticket_id", "mechanic_id", "role", "minutes_worked", "mechanic"]
        read_only_fields = fields


class TicketPartSerializer(ReadOnlyModelSerializer[TicketPart]):
    """An installed part; its cost is shown to those who may see parts."""

    part_id = serializers.IntegerField()
    part_number = serializers.CharField()
    part_name = serializers.CharField()
    markup_percentage = DecimalNumberField(
        max_digits=5, decimal_places=2, min_value=0, max_value=MAX_MARKUP
    )
    total_cost_cents = serializers.IntegerField()
    warranty_expires_on = serializers.DateField(allow_null=True)
    installed_date = UTCDateTimeField(source="installed_at")
    installed_by_mechanic_id = serializers.IntegerField(
        source="installed_by_id", allow_null=True
    )
    returned_at = UTCDateTimeField(allow_null=True)

    class Meta:
        model = TicketPart
        fields = [
            "part_id",
            "part_number",
            "part_name",
            "quantity_used",
            "unit_cost_cents",
            "markup_percentage",
            "total_cost_cents",
            "warranty_months",
            "warranty_expires_on",
            "installed_date",
            "installed_by_mechanic_id",
            "returned_at",
        ]
        read_only_fields = fields
        schema_optional = COST_FIELDS

    def hidden_fields(self) -> frozenset[str]:
        request = self.context.get("request")
        if request is None or request.user.has_perm("inventory.view_part"):
            return frozenset()
        return frozenset(COST_FIELDS)


@extend_schema_serializer(component_name="BriefVehicle")
class TicketVehicleSerializer(ReadOnlyModelSerializer[ServiceTicket]):
    """The vehicle, as it is while the ticket is open, and as it was when it closed."""

    vehicle_id = serializers.IntegerField()
    year = serializers.IntegerField(source="vehicle_year")
    make = serializers.CharField(source="vehicle_make")
    model = serializers.CharField(source="vehicle_model")
    license_plate = serializers.CharField(source="vehicle_license_plate")
    vin = serializers.CharField(source="vehicle_vin", allow_null=True)

    class Meta:
        model = ServiceTicket
        fields = ["vehicle_id", "year", "make", "model", "license_plate", "vin"]
        read_only_fields = fields


class ServiceTicketSerializer(StrictModelSerializer[ServiceTicket]):
    ticket_id = serializers.IntegerField(source="pk", read_only=True)
    vehicle_id: VisibleRelatedField[Vehicle] = VisibleRelatedField(
        source="vehicle", queryset=Vehicle.objects.all()
    )
    customer_id: VisibleRelatedField[Customer] = VisibleRelatedField(
        source="customer", queryset=Customer.objects.all(), required=False
    )
    parts_total_cents = serializers.SerializerMethodField()
    vehicle = TicketVehicleSerializer(source="*", read_only=True)
    customer = BriefCustomerSerializer(read_only=True)
    ticket_mechanics = TicketMechanicSerializer(
        source="loaded_mechanics", many=True, read_only=True
    )
    ticket_parts = TicketPartSerializer(
        source="loaded_parts", many=True, read_only=True
    )

    class Meta:
        model = ServiceTicket
        fields = [
            "ticket_id",
            "vehicle_id",
            "customer_id",
            "status",
            "opened_at",
            "closed_at",
            "updated_at",
            "problem_description",
            "odometer_miles",
            "priority",
            "parts_total_cents",
            "vehicle",
            "customer",
            "ticket_mechanics",
            "ticket_parts",
        ]
        read_only_fields = ["opened_at", "closed_at"]
        ignored_input_fields = (
            "parts_total_cents",
            "vehicle",
            "customer",
            "ticket_mechanics",
            "ticket_parts",
            "ticket_line_items",  # system A's, which its clients send back
        )

    def get_parts_total_cents(self, ticket: ServiceTicket) -> int:
        """Add up the lines whose part was not returned."""
        return sum(
            line.total_cost_cents
            for line in ticket.loaded_parts
            if line.returned_at is None
        )

    def validate_status(self, status: str) -> str:
        if self.instance is None and status not in ServiceTicket.STARTS:
            raise serializers.ValidationError(
                f"A new ticket starts as {', '.join(ServiceTicket.STARTS)}."
            )
        return status


@extend_schema_serializer(component_name="ChangeAssignment")
class ChangeAssignmentSerializer(StrictSerializer):
    """``role`` and ``minutes_worked``; a field that is left out stays as it is."""

    role = serializers.CharField(
        max_length=100, required=False, validators=[validate_one_line]
    )
    minutes_worked = WholeNumberField(
        min_value=0, max_value=MAX_MINUTES, required=False
    )


class AssignMechanicSerializer(StrictSerializer):
    role = serializers.CharField(
        max_length=100, default=DEFAULT_ROLE, validators=[validate_one_line]
    )
    minutes_worked = WholeNumberField(min_value=0, max_value=MAX_MINUTES, default=0)


class MechanicIdsField(serializers.ListField):
    """A list of ids; which of them are mechanics, the service says."""

    MAX_LENGTH = 100
    child = WholeNumberField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default=list, max_length=self.MAX_LENGTH, **kwargs)

    def run_child_validation(self, data: Any) -> list[int]:
        if len(data) > self.MAX_LENGTH:  # DRF looks only after it has read them all
            self.fail("max_length", max_length=self.MAX_LENGTH)
        try:
            return super().run_child_validation(data)
        except serializers.ValidationError as error:
            wrong = ", ".join(str(data[position]) for position in error.detail)
            raise serializers.ValidationError([f"Not an id: {wrong}."]) from error


class EditMechanicsSerializer(AssignMechanicSerializer):
    add_ids = MechanicIdsField()
    remove_ids = MechanicIdsField()


class EditedMechanicsSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    ticket_id = serializers.IntegerField()
    added_mechanics = serializers.ListField(child=serializers.IntegerField())
    removed_mechanics = serializers.ListField(child=serializers.IntegerField())
    unchanged = serializers.ListField(child=serializers.IntegerField())
    ticket = ServiceTicketSerializer()


class RemovedMechanicSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    ticket_id = serializers.IntegerField()
    mechanic_id = serializers.IntegerField()
    ticket = ServiceTicketSerializer()


class AssignedMechanicSerializer(RemovedMechanicSerializer):
    role = serializers.CharField()
    minutes_worked = serializers.IntegerField()


@extend_schema_serializer(component_name="ChangeInstalledPart")
class ChangeTicketPartSerializer(StrictSerializer):
    """The fields of an installed part that may be changed."""

    quantity_used = WholeNumberField(
        min_value=1, max_value=MAX_QUANTITY, required=False
    )
    warranty_months = WholeNumberField(
        min_value=0, max_value=MAX_WARRANTY_MONTHS, required=False, allow_null=True
    )
    installed_by_mechanic_id: VisibleRelatedField[Mechanic] = VisibleRelatedField(
        source="installed_by",
        queryset=Mechanic.objects.all(),
        required=False,
        allow_null=True,
    )


@extend_schema_serializer(component_name="InstallPart")
class InstallPartSerializer(ChangeTicketPartSerializer):
    """The quantity, markup and warranty of a part that is installed."""

    quantity_used = WholeNumberField(min_value=1, max_value=MAX_QUANTITY)
    markup_percentage = DecimalNumberField(
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=MAX_MARKUP,
        default=DEFAULT_MARKUP,
        help_text="At most two decimal places.",
    )


@extend_schema_serializer(component_name="AddPart")
class AddPartSerializer(InstallPartSerializer):
    """System B's request body, in which every field has a default."""

    quantity_used = WholeNumberField(min_value=1, max_value=MAX_QUANTITY, default=1)


@extend_schema_serializer(component_name="InstallPartFromBody")
class AddInventorySerializer(AddPartSerializer):
    """System B's other request body, which names the part."""

    inventory_id: VisibleRelatedField[Part] = VisibleRelatedField(
        source="part", queryset=Part.objects.all()
    )


class InstalledPartSerializer(ReadOnlyModelSerializer[TicketPart]):
    message = serializers.SerializerMethodField()
    ticket_id = serializers.IntegerField()
    part_id = serializers.IntegerField()
    part_name = serializers.CharField()
    total_cost = serializers.FloatField()
    total_cost_cents = serializers.IntegerField()
    remaining_stock = serializers.IntegerField(source="part.quantity_in_stock")

    class Meta:
        model = TicketPart
        fields = [
            "message",
            "ticket_id",
            "part_id",
            "part_name",
            "quantity_used",
            "unit_cost_cents",
            "total_cost",
            "total_cost_cents",
            "remaining_stock",
        ]
        read_only_fields = fields

    def get_message(self, line: TicketPart) -> str:
        return f"{line.quantity_used} × {line.part_name} installed."


class NoteSerializer(StrictSerializer):
    text = serializers.CharField(max_length=5000)
    visible_to_customer = SentBooleanField(default=False)


@extend_schema_field(OpenApiTypes.OBJECT)
class EventDetailField(serializers.JSONField):
    """What happened, in words that depend on the kind of event."""


class TicketEventSerializer(ReadOnlyModelSerializer[TicketEvent]):
    """An event; its user is shown to those who may see all events."""

    event_id = serializers.IntegerField(source="pk")
    ticket_id = serializers.IntegerField()
    by = serializers.SerializerMethodField()
    at = UTCDateTimeField()
    detail = EventDetailField()

    class Meta:
        model = TicketEvent
        fields = ["event_id", "ticket_id", "kind", "at", "by", "detail"]
        read_only_fields = fields

    @extend_schema_field(ActorSerializer(allow_null=True))
    def get_by(self, event: TicketEvent) -> dict[str, Any] | None:
        user = self.context["request"].user
        if event.by_id != user.pk and not user.has_perm("tickets.view_ticketevent"):
            return None
        return dict(ActorSerializer(event.by).data)

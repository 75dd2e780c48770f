from __future__ import annotations

from rest_framework import serializers

from .models import (
    Customer,
    Mechanic,
    Part,
    ServiceTicket,
    TicketMechanic,
    TicketPart,
    User,
    Vehicle,
)


class CustomerSerializer(serializers.ModelSerializer):
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


class MechanicSerializer(serializers.ModelSerializer):
    mechanic_id = serializers.IntegerField(source="pk", read_only=True)

    class Meta:
        model = Mechanic
        fields = [
            "mechanic_id",
            "full_name",
            "email",
            "phone",
            "salary",
            "is_active",
            "created_at",
            "updated_at",
        ]


class RankedMechanicSerializer(serializers.ModelSerializer):
    mechanic_id = serializers.IntegerField(source="pk", read_only=True)
    ticket_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Mechanic
        fields = ["mechanic_id", "full_name", "is_active", "ticket_count"]


class PartSerializer(serializers.ModelSerializer):
    part_id = serializers.IntegerField(source="pk", read_only=True)
    price = serializers.FloatField(read_only=True)
    needs_reorder = serializers.BooleanField(read_only=True)

    class Meta:
        model = Part
        fields = [
            "part_id",
            "part_number",
            "name",
            "description",
            "category",
            "manufacturer",
            "current_cost_cents",
            "price",
            "quantity_in_stock",
            "reorder_level",
            "supplier",
            "is_active",
            "needs_reorder",
            "created_at",
            "updated_at",
        ]


class BriefMechanicSerializer(MechanicSerializer):
    class Meta:
        model = Mechanic
        fields = ["mechanic_id", "full_name", "is_active"]


class BriefCustomerSerializer(CustomerSerializer):
    class Meta:
        model = Customer
        fields = ["customer_id", "first_name", "last_name", "phone"]


class BriefVehicleSerializer(serializers.ModelSerializer):
    vehicle_id = serializers.IntegerField(source="pk", read_only=True)

    class Meta:
        model = Vehicle
        fields = ["vehicle_id", "year", "make", "model", "license_plate", "vin"]


class TicketMechanicSerializer(serializers.ModelSerializer):
    ticket_id = serializers.IntegerField()
    mechanic_id = serializers.IntegerField()
    mechanic = BriefMechanicSerializer()

    class Meta:
        model = TicketMechanic
        fields = ["ticket_id", "mechanic_id", "role", "minutes_worked", "mechanic"]


class TicketPartSerializer(serializers.ModelSerializer):
    part_id = serializers.IntegerField()
    part_number = serializers.CharField(source="part.part_number")
    part_name = serializers.CharField(source="part.name")
    total_cost_cents = serializers.IntegerField()
    warranty_expires_on = serializers.DateField()
    installed_date = serializers.DateTimeField(source="installed_at")
    installed_by_mechanic_id = serializers.IntegerField(source="installed_by_id")

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


class ServiceTicketSerializer(serializers.ModelSerializer):
    ticket_id = serializers.IntegerField(source="pk", read_only=True)
    vehicle_id = serializers.PrimaryKeyRelatedField(
        source="vehicle", queryset=Vehicle.objects.all()
    )
    customer_id = serializers.IntegerField(read_only=True)
    parts_total_cents = serializers.SerializerMethodField()
    vehicle = BriefVehicleSerializer(read_only=True)
    customer = BriefCustomerSerializer(read_only=True)
    ticket_mechanics = TicketMechanicSerializer(many=True, read_only=True)
    ticket_parts = TicketPartSerializer(many=True, read_only=True)

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

    def get_parts_total_cents(self, ticket):
        lines = ticket.ticket_parts.all()
        return sum(line.total_cost_cents for line in lines if line.returned_at is None)


class UserSerializer(serializers.ModelSerializer):
    user_id = serializers.IntegerField(source="pk")
    role = serializers.CharField()

    class Meta:
        model = User
        fields = ["user_id", "email", "first_name", "last_name", "role", "is_staff"]


class LoginSerializer(serializers.Serializer):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=128)


class InstallSerializer(serializers.Serializer):
    quantity_used = serializers.IntegerField(min_value=1, max_value=1_000_000)
    warranty_months = serializers.IntegerField(required=False, allow_null=True)


class EditSerializer(serializers.Serializer):
    add_ids = serializers.ListField(child=serializers.IntegerField(), default=list)
    remove_ids = serializers.ListField(child=serializers.IntegerField(), default=list)
    role = serializers.CharField(max_length=100, default="Technician")
    minutes_worked = serializers.IntegerField(min_value=0, default=0)

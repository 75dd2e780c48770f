"""The product's tables, as somebody else's Django would map them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import models
from django.utils import timezone

from benchmarks.peers import rules


class Group(models.Model):
    name = models.CharField(max_length=150)

    class Meta:
        managed = False
        db_table = "auth_group"


class User(models.Model):
    password = models.CharField(max_length=128)
    email = models.EmailField()
    first_name = models.CharField(max_length=255)
    last_name = models.CharField(max_length=255)
    is_staff = models.BooleanField()
    is_active = models.BooleanField()
    groups = models.ManyToManyField(Group, through="Membership")

    is_authenticated = True

    class Meta:
        managed = False
        db_table = "accounts_user"

    @property
    def role(self) -> str:
        names = set(self.groups.values_list("name", flat=True))
        return rules.role_of(names, is_staff=self.is_staff)


class Membership(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    group = models.ForeignKey(Group, models.CASCADE)

    class Meta:
        managed = False
        db_table = "accounts_user_groups"


class Session(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    refresh_jti = models.CharField(max_length=32)
    auth_hash = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "accounts_session"


class Customer(models.Model):
    user = models.OneToOneField(User, models.SET_NULL, null=True)
    first_name = models.CharField(max_length=255)
    last_name = models.CharField(max_length=255)
    email = models.EmailField(null=True)
    phone = models.CharField(max_length=50)
    address = models.CharField(max_length=255)
    city = models.CharField(max_length=100)
    state = models.CharField(max_length=50)
    postal_code = models.CharField(max_length=20)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "customers_customer"


class Vehicle(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    vin = models.CharField(max_length=17, null=True)
    make = models.CharField(max_length=100)
    model = models.CharField(max_length=100)
    year = models.PositiveSmallIntegerField()
    license_plate = models.CharField(max_length=20)

    class Meta:
        managed = False
        db_table = "customers_vehicle"


class Mechanic(models.Model):
    user = models.OneToOneField(User, models.SET_NULL, null=True)
    full_name = models.CharField(max_length=255)
    email = models.EmailField()
    phone = models.CharField(max_length=50)
    salary = models.PositiveIntegerField()
    is_active = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        managed = False
        db_table = "mechanics_mechanic"


class Part(models.Model):
    part_number = models.CharField(max_length=100)
    name = models.CharField(max_length=255)
    description = models.TextField()
    category = models.CharField(max_length=100)
    manufacturer = models.CharField(max_length=255)
    supplier = models.CharField(max_length=255)
    current_cost_cents = models.PositiveIntegerField()
    quantity_in_stock = models.PositiveIntegerField()
    reorder_level = models.PositiveIntegerField()
    is_active = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        managed = False
        db_table = "inventory_part"

    @property
    def price(self) -> float:
        return self.current_cost_cents / 100

    @property
    def needs_reorder(self) -> bool:
        return self.quantity_in_stock <= self.reorder_level


class ServiceTicket(models.Model):
    vehicle = models.ForeignKey(Vehicle, models.PROTECT)
    customer = models.ForeignKey(Customer, models.PROTECT)
    status = models.CharField(max_length=20, default="open")
    priority = models.PositiveSmallIntegerField(default=3)
    problem_description = models.TextField()
    odometer_miles = models.PositiveIntegerField()
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        managed = False
        db_table = "tickets_serviceticket"

    @property
    def is_closed(self) -> bool:
        return self.status in ("completed", "cancelled")


class TicketMechanic(models.Model):
    ticket = models.ForeignKey(
        ServiceTicket, models.CASCADE, related_name="ticket_mechanics"
    )
    mechanic = models.ForeignKey(
        Mechanic, models.PROTECT, related_name="ticket_mechanics"
    )
    role = models.CharField(max_length=100)
    minutes_worked = models.PositiveIntegerField()

    class Meta:
        managed = False
        db_table = "tickets_ticketmechanic"
        ordering = ["pk"]


class TicketPart(models.Model):
    ticket = models.ForeignKey(
        ServiceTicket, models.PROTECT, related_name="ticket_parts"
    )
    part = models.ForeignKey(Part, models.PROTECT)
    quantity_used = models.PositiveIntegerField()
    unit_cost_cents = models.PositiveIntegerField()
    markup_percentage = models.DecimalField(
        max_digits=5, decimal_places=2, default=rules.DEFAULT_MARKUP
    )
    warranty_months = models.PositiveSmallIntegerField(null=True)
    installed_by = models.ForeignKey(Mechanic, models.PROTECT, null=True)
    installed_at = models.DateTimeField(default=timezone.now)
    returned_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "tickets_ticketpart"
        ordering = ["pk"]

    @property
    def total_cost_cents(self) -> int:
        return rules.total_cost_cents(
            self.quantity_used, self.unit_cost_cents, Decimal(self.markup_percentage)
        )

    @property
    def warranty_expires_on(self) -> date | None:
        return rules.warranty_expires_on(self.installed_at, self.warranty_months)


class StockMovement(models.Model):
    part = models.ForeignKey(Part, models.CASCADE)
    ticket = models.ForeignKey(ServiceTicket, models.PROTECT, null=True)
    by = models.ForeignKey(User, models.PROTECT)
    delta = models.IntegerField()
    quantity_after = models.PositiveIntegerField()
    reason = models.CharField(max_length=20)
    note = models.CharField(max_length=255, default="")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        managed = False
        db_table = "inventory_stockmovement"


class TicketEvent(models.Model):
    ticket = models.ForeignKey(ServiceTicket, models.CASCADE)
    by = models.ForeignKey(User, models.PROTECT)
    kind = models.CharField(max_length=30)
    at = models.DateTimeField(default=timezone.now)
    detail = models.JSONField()
    visible_to_customer = models.BooleanField(default=False)

    class Meta:
        managed = False
        db_table = "tickets_ticketevent"

"""Service tickets, with their mechanics, parts and timeline."""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Self, TypeVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import cached_property

from customers.models import MAX_MILEAGE, Customer, Vehicle
from customers.vin import LENGTH as VIN_LENGTH
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.core.one_line import OneLineField
from mechanic_shop.core.prepared_queries import PreparedQuery
from mechanic_shop.core.search_columns import (
    SearchableModel,
    SearchableQuerySet,
    SearchTextField,
)
from mechanics.models import Mechanic

MAX_MINUTES = 100_000
MAX_QUANTITY = 1_000_000
MAX_MARKUP = Decimal("999.99")
MAX_WARRANTY_MONTHS = 600
DEFAULT_PRIORITY = 3
DEFAULT_ROLE = "Technician"
DEFAULT_MARKUP = Decimal(30)


#: What a ticket keeps of its vehicle: its own columns, and the vehicle's.
VEHICLE_COPIES = {
    "vehicle_year": "year",
    "vehicle_make": "make",
    "vehicle_model": "model",
    "vehicle_license_plate": "license_plate",
    "vehicle_vin": "vin",
}

Line = TypeVar("Line", "TicketMechanic", "TicketPart")


class TicketStatus(models.TextChoices):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    WAITING = "waiting", "Waiting"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


class TicketEventKind(models.TextChoices):
    OPENED = "opened", "Opened"
    STATUS_CHANGED = "status_changed", "Status changed"
    FIELDS_CHANGED = "fields_changed", "Fields changed"
    MECHANIC_ASSIGNED = "mechanic_assigned", "Mechanic assigned"
    MECHANIC_REMOVED = "mechanic_removed", "Mechanic removed"
    ASSIGNMENT_CHANGED = "assignment_changed", "Assignment changed"
    PART_INSTALLED = "part_installed", "Part installed"
    PART_CHANGED = "part_changed", "Part changed"
    PART_REMOVED = "part_removed", "Part removed"
    PART_RETURNED = "part_returned", "Part returned"
    NOTE = "note", "Note"
    HANDED_OVER = "handed_over", "Handed over"


class ServiceTicketQuerySet(SearchableQuerySet["ServiceTicket"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Keep the tickets that the user may see: staff all, customers their own."""
        if user.has_perm("tickets.view_serviceticket"):
            return self
        if not user.is_authenticated:
            return self.none()
        return self.filter(customer__user=user)

    def still_open(self) -> Self:
        return self.exclude(status__in=ServiceTicket.CLOSED)

    def ready(self) -> Self:
        """Keep the completed tickets whose vehicle was not handed over yet."""
        return self.filter(status=TicketStatus.COMPLETED, handed_over_at=None)

    def by_urgency(self) -> Self:
        """Order by priority, then by the time of opening."""
        return self.order_by("priority", "opened_at", "pk")

    def unlike_their_vehicle(self) -> Self:
        """Keep open tickets whose copy of the vehicle is not what the vehicle is."""
        same = {
            copy: F(f"vehicle__{name}")
            for copy, name in VEHICLE_COPIES.items()
            if copy != "vehicle_vin"
        }
        return (
            self.still_open()
            .alias(own_vin=Coalesce("vehicle_vin", Value("")))
            .alias(present_vin=Coalesce("vehicle__vin", Value("")))
            .exclude(own_vin=F("present_vin"), **same)
        )

    def naming_the_erased(self) -> Self:
        """Keep tickets with a plate or VIN of a customer who was erased."""
        theirs = Q(customer__erased_at__isnull=False)
        owned = Q(vehicle__customer__erased_at__isnull=False)
        blank = Q(vehicle_license_plate="", vehicle_vin=None)
        return self.filter(theirs | owned).exclude(blank)

    def blank_identity(self) -> int:
        """Blank what tells whose vehicle it was; return the number of tickets."""
        return self.update(vehicle_license_plate="", vehicle_vin=None)

    def with_customer(self) -> Self:
        """Load the customer with each ticket, which has a copy of its vehicle."""
        return self.select_related("customer")


class ServiceTicket(SearchableModel):
    """One visit of a vehicle to the shop. Times are the server's."""

    Status = TicketStatus

    CLOSED = (Status.COMPLETED, Status.CANCELLED)
    #: The statuses that a new ticket may have.
    STARTS = (Status.OPEN, Status.IN_PROGRESS, Status.WAITING)
    #: All allowed changes of status.
    MOVES: dict[str, tuple[TicketStatus, ...]] = {
        Status.OPEN: (Status.IN_PROGRESS, Status.WAITING, Status.CANCELLED),
        Status.IN_PROGRESS: (Status.WAITING, Status.COMPLETED, Status.CANCELLED),
        Status.WAITING: (Status.IN_PROGRESS, Status.COMPLETED, Status.CANCELLED),
        Status.COMPLETED: (Status.IN_PROGRESS,),
        Status.CANCELLED: (),
    }

    vehicle = models.ForeignKey(
        Vehicle, on_delete=models.PROTECT, related_name="service_tickets"
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="service_tickets"
    )
    status = models.CharField(max_length=20, choices=Status, default=Status.OPEN)
    priority = models.PositiveSmallIntegerField(
        default=DEFAULT_PRIORITY,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text="1 is the most urgent, 5 the least.",
    )
    problem_description = models.TextField(max_length=5000)
    odometer_miles = models.PositiveIntegerField(
        validators=[MaxValueValidator(MAX_MILEAGE)]
    )
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    handed_over_at = models.DateTimeField(null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    # The vehicle as it is while the ticket is open, and as it was once it is closed.
    # Without a year the copy was not made yet: see ``tickets.copies``.
    vehicle_year = models.PositiveSmallIntegerField(null=True, editable=False)
    vehicle_make = models.CharField(
        max_length=100, default="", db_default="", editable=False
    )
    vehicle_model = models.CharField(
        max_length=100, default="", db_default="", editable=False
    )
    vehicle_license_plate = models.CharField(
        max_length=20, default="", db_default="", editable=False
    )
    vehicle_vin = models.CharField(max_length=VIN_LENGTH, null=True, editable=False)
    search_text = SearchTextField(
        words=(
            "problem_description",
            "vehicle_year",
            "vehicle_make",
            "vehicle_model",
        ),
        identifiers=("vehicle_license_plate", "vehicle_vin"),
    )

    objects = ServiceTicketQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        permissions = [
            ("work_ticket", "Can start, pause and complete work on a ticket"),
            ("cancel_ticket", "Can cancel a ticket"),
            ("reopen_ticket", "Can reopen a completed ticket"),
            ("assign_mechanic", "Can assign mechanics to a ticket and remove them"),
            ("log_minutes", "Can log the own minutes on a ticket"),
            ("install_part", "Can install parts on a ticket"),
            ("remove_part", "Can remove parts from a ticket"),
            ("add_note", "Can write notes on a ticket"),
            ("view_margin", "Can see what parts cost the shop, and its markup"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(priority__gte=1) & Q(priority__lte=5),
                name="ticket_priority_from_1_to_5",
            ),
            models.CheckConstraint(
                condition=Q(odometer_miles__lte=MAX_MILEAGE),
                name="ticket_odometer_plausible",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["completed", "cancelled"], closed_at__isnull=False
                )
                | Q(
                    status__in=["open", "in_progress", "waiting"],
                    closed_at__isnull=True,
                ),
                name="ticket_closed_at_tells_the_status",
            ),
        ]
        indexes = [
            models.Index(fields=["-opened_at", "-id"], name="ticket_newest_first"),
            models.Index(
                fields=["status", "-opened_at", "-id"], name="ticket_status_newest"
            ),
            models.Index(fields=["updated_at"], name="ticket_updated_at"),
            # Vehicles in the shop, finished or not, are few; those of before are many.
            models.Index(
                fields=["handed_over_at", "status", "-closed_at", "-id"],
                name="ticket_ready_newest",
            ),
        ]

    def __str__(self) -> str:
        return f"Ticket {self.pk}"

    @cached_property
    def loaded_mechanics(self) -> list[TicketMechanic]:
        """Assignments with their mechanics; lists load them by ``prefetch_lines``."""
        return MECHANICS_OF_TICKETS.all(self.pk)

    @cached_property
    def loaded_parts(self) -> list[TicketPart]:
        """Lines of parts; lists load them by ``prefetch_lines``."""
        return PARTS_OF_TICKETS.all(self.pk)

    @property
    def vehicle_name(self) -> str:
        """Year, make and model of the vehicle, as the ticket has them."""
        year = self.vehicle_year or ""
        return f"{year} {self.vehicle_make} {self.vehicle_model}".strip()

    def copy_vehicle(self, vehicle: Vehicle) -> None:
        """Take over what the ticket keeps of its vehicle, without saving it."""
        for copy, name in VEHICLE_COPIES.items():
            setattr(self, copy, getattr(vehicle, name))

    @property
    def is_closed(self) -> bool:
        return self.status in self.CLOSED

    @property
    def is_ready(self) -> bool:
        """Whether the vehicle is finished and waits for its customer."""
        return self.status == self.Status.COMPLETED and self.handed_over_at is None

    @property
    def allowed_moves(self) -> tuple[TicketStatus, ...]:
        return self.MOVES[self.status]

    def belongs_to(self, user: User | AnonymousUser) -> bool:
        return self.customer.belongs_to(user)


class TicketMechanic(models.Model):
    """A mechanic on a ticket, with the minutes worked."""

    ticket = models.ForeignKey(
        ServiceTicket, on_delete=models.CASCADE, related_name="ticket_mechanics"
    )
    mechanic = models.ForeignKey(
        Mechanic, on_delete=models.PROTECT, related_name="ticket_mechanics"
    )
    role = OneLineField(max_length=100, default=DEFAULT_ROLE)
    minutes_worked = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(MAX_MINUTES)]
    )

    class Meta:
        verbose_name = "mechanic on the ticket"
        verbose_name_plural = "mechanics on the ticket"
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "mechanic"],
                name="ticket_mechanic_once",
                violation_error_message="The mechanic is on this ticket already.",
            ),
            models.CheckConstraint(
                condition=Q(minutes_worked__lte=MAX_MINUTES),
                name="ticket_mechanic_minutes_plausible",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mechanic} ({self.role})"


class TicketPart(models.Model):
    """A part installed on a ticket, at the cost it had that day."""

    ticket = models.ForeignKey(
        ServiceTicket, on_delete=models.PROTECT, related_name="ticket_parts"
    )
    part = models.ForeignKey(
        Part, on_delete=models.PROTECT, related_name="ticket_parts"
    )
    quantity_used = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MAX_QUANTITY)]
    )
    # The part as it was sold; its number and name may change later. Without a number
    # the copy was not made yet: see ``tickets.copies``.
    part_number = models.CharField(
        max_length=100, default="", db_default="", editable=False
    )
    part_name = models.CharField(
        max_length=255, default="", db_default="", editable=False
    )
    unit_cost_cents = models.PositiveIntegerField()
    markup_percentage = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=DEFAULT_MARKUP,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(MAX_MARKUP)],
    )
    warranty_months = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(MAX_WARRANTY_MONTHS)]
    )
    installed_by = models.ForeignKey(
        Mechanic,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="installed_parts",
    )
    installed_at = models.DateTimeField(default=timezone.now, editable=False)
    returned_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "part on the ticket"
        verbose_name_plural = "parts on the ticket"
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "part"],
                name="ticket_part_once",
                violation_error_message="The part is on this ticket already.",
            ),
            models.CheckConstraint(
                condition=Q(quantity_used__gte=1),
                name="ticket_part_uses_at_least_one",
            ),
            models.CheckConstraint(
                condition=Q(markup_percentage__gte=0),
                name="ticket_part_markup_never_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity_used} × {self.sold_as}"

    @property
    def sold_as(self) -> str:
        """Number and name of the part as of its installation."""
        return f"{self.part_number} {self.part_name}"

    @property
    def total_cost_cents(self) -> int:
        """The price of the line for the customer; rounded half up, once."""
        factor = (100 + self.markup_percentage) / Decimal(100)
        exact = self.quantity_used * self.unit_cost_cents * factor
        return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))

    @property
    def total_cost(self) -> Decimal:
        return Decimal(self.total_cost_cents) / 100

    @property
    def warranty_expires_on(self) -> date | None:
        """The last day of the warranty, in the shop's time zone."""
        if self.warranty_months is None:
            return None
        start = timezone.localdate(self.installed_at)
        year, month = divmod(start.month - 1 + self.warranty_months, 12)
        year, month = start.year + year, month + 1
        return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


MECHANICS_OF_TICKETS = PreparedQuery(
    lambda *pks: (
        TicketMechanic.objects.select_related("mechanic")
        .filter(ticket__in=pks)
        .order_by("pk")
    )
)
PARTS_OF_TICKETS = PreparedQuery(
    lambda *pks: TicketPart.objects.filter(ticket__in=pks).order_by("pk")
)
LINE_OF_PART = PreparedQuery(
    lambda ticket_id, part_id: TicketPart.objects.filter(
        ticket_id=ticket_id, part_id=part_id
    )
)


def prefetch_lines(tickets: Sequence[ServiceTicket]) -> None:
    """Load the mechanics and parts of up to a hundred tickets in two queries."""
    if not tickets:
        return
    pks = [ticket.pk for ticket in tickets]
    mechanics = _by_ticket(MECHANICS_OF_TICKETS.all(*pks))
    parts = _by_ticket(PARTS_OF_TICKETS.all(*pks))
    for ticket in tickets:
        ticket.loaded_mechanics = mechanics[ticket.pk]
        ticket.loaded_parts = parts[ticket.pk]


def _by_ticket(lines: Sequence[Line]) -> defaultdict[int, list[Line]]:
    found: defaultdict[int, list[Line]] = defaultdict(list)
    for line in lines:
        found[line.ticket_id].append(line)
    return found


class TicketEventQuerySet(models.QuerySet["TicketEvent"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Staff see all; customers the status moves and notes meant for them."""
        if user.has_perm("tickets.view_ticketevent"):
            return self
        if not user.is_authenticated:
            return self.none()
        return self.filter(ticket__customer__user=user, visible_to_customer=True)


class TicketEvent(models.Model):
    """Something that happened to a ticket. Rows are never changed."""

    Kind = TicketEventKind

    ticket = models.ForeignKey(
        ServiceTicket, on_delete=models.CASCADE, related_name="events"
    )
    kind = models.CharField(max_length=30, choices=TicketEventKind)
    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="ticket_events",
    )
    detail = models.JSONField(default=dict)
    visible_to_customer = models.BooleanField(default=False)

    objects = TicketEventQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.at:%Y-%m-%d %H:%M}"

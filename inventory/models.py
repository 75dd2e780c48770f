"""Parts, and the ledger of their stock movements."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone
from simple_history.models import HistoricalRecords

from mechanic_shop.accounts.models import User
from mechanic_shop.core.one_line import OneLineField
from mechanic_shop.core.prepared_queries import PreparedQuery
from mechanic_shop.core.search_columns import (
    SearchableModel,
    SearchableQuerySet,
    SearchTextField,
)

DEFAULT_CATEGORY = "General"
DEFAULT_REORDER_LEVEL = 5
MAX_COST_CENTS = 1_000_000_000
ASCII_ONLY = "Use ASCII characters in part numbers."
MAX_STOCK = 1_000_000_000


class MovementReason(models.TextChoices):
    INITIAL = "initial", "Initial stock"
    ADJUST = "adjust", "Adjustment"
    COUNT = "count", "Stock count"
    INSTALL = "install", "Installed on a ticket"
    RETURN = "return", "Returned from a ticket"
    RECEIVE = "receive", "Received from a supplier"


class PartQuerySet(SearchableQuerySet["Part"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Only staff see parts."""
        return self if user.has_perm("inventory.view_part") else self.none()

    def active(self) -> Self:
        return self.filter(is_active=True)

    def low_on_stock(self) -> Self:
        return self.filter(is_low=True)

    def well_stocked(self) -> Self:
        return self.filter(is_low=False)

    def order_by_stock(self) -> Self:
        return self.order_by("quantity_in_stock", "part_number", "pk")


class Part(SearchableModel):
    """A part that the shop stocks.

    ``quantity_in_stock`` is the sum of the part's movements and only written by
    ``inventory.services``. ``current_cost_cents`` is today's purchase price; tickets
    copy it.
    """

    part_number = OneLineField(max_length=100)
    part_number_key = models.GeneratedField(
        expression=Upper("part_number"),
        output_field=models.CharField(max_length=100),
        db_persist=True,
        editable=False,
    )
    name = OneLineField(max_length=255)
    description = models.TextField(blank=True, default="")
    category = OneLineField(max_length=100, default=DEFAULT_CATEGORY)
    manufacturer = OneLineField(max_length=255, blank=True, default="")
    supplier = OneLineField(max_length=255, blank=True, default="")
    current_cost_cents = models.PositiveIntegerField(
        validators=[MaxValueValidator(MAX_COST_CENTS)]
    )
    quantity_in_stock = models.PositiveIntegerField(default=0)
    reorder_level = models.PositiveIntegerField(
        default=DEFAULT_REORDER_LEVEL,
        validators=[MaxValueValidator(MAX_STOCK)],
        help_text="Order more when no more than this many are left.",
    )
    #: The value of ``needs_reorder`` as a column, so that it can be indexed.
    is_low = models.GeneratedField(
        expression=models.Case(
            models.When(quantity_in_stock__lte=F("reorder_level"), then=True),
            default=False,
        ),
        output_field=models.BooleanField(),
        db_persist=True,
        editable=False,
    )
    is_active = models.BooleanField("active", default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    search_text = SearchTextField(
        words=("name", "description", "category", "manufacturer", "supplier"),
        identifiers=("part_number",),
    )

    objects = PartQuerySet.as_manager()
    #: History of the catalogue fields only; stock has its movements.
    history = HistoricalRecords(
        excluded_fields=[
            "part_number_key",
            "quantity_in_stock",
            "is_low",
            "created_at",
            "updated_at",
            "search_text",
        ]
    )

    class Meta:
        ordering = ["pk"]
        permissions = [("adjust_quantity", "Can adjust the quantity in stock")]
        constraints = [
            # Numbers are compared without case, and stored as they were typed.
            models.UniqueConstraint(
                fields=["part_number_key"],
                name="part_number_unique",
                violation_error_message="A part with this number exists already.",
            ),
            models.CheckConstraint(
                condition=Q(quantity_in_stock__gte=0)
                & Q(quantity_in_stock__lte=MAX_STOCK),
                name="part_stock_never_negative",
                violation_error_message="There cannot be fewer than none in stock.",
            ),
            models.CheckConstraint(
                condition=Q(current_cost_cents__gte=0)
                & Q(current_cost_cents__lte=MAX_COST_CENTS),
                name="part_cost_never_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["is_active"], name="part_active"),
            models.Index(fields=["is_low", "is_active"], name="part_low"),
            models.Index(fields=["category"], name="part_category"),
            models.Index(fields=["updated_at"], name="part_updated_at"),
        ]

    def __str__(self) -> str:
        return f"{self.part_number} {self.name}"

    def clean(self) -> None:
        if not self.part_number.isascii():
            raise ValidationError({"part_number": ASCII_ONLY})

    @property
    def needs_reorder(self) -> bool:
        return self.quantity_in_stock <= self.reorder_level

    @property
    def price(self) -> Decimal:
        """Today's cost in whole currency units, for clients that do not use cents."""
        return Decimal(self.current_cost_cents) / 100

    def belongs_to(self, user: User | AnonymousUser) -> bool:
        return False


PART_BY_ID = PreparedQuery(lambda pk: Part.objects.filter(pk=pk))


class StockMovementQuerySet(models.QuerySet["StockMovement"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self if user.has_perm("inventory.view_stockmovement") else self.none()


class StockMovement(models.Model):
    """One change of a part's stock: how much, why, by whom, and what was left.

    Rows are never changed or deleted while the part exists; a correction is a new row.
    """

    Reason = MovementReason

    part = models.ForeignKey(Part, on_delete=models.CASCADE, related_name="movements")
    delta = models.IntegerField()
    quantity_after = models.PositiveIntegerField()
    reason = models.CharField(max_length=20, choices=MovementReason)
    ticket = models.ForeignKey(
        "tickets.ServiceTicket",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="stock_movements",
    )
    note = OneLineField(max_length=255, blank=True, default="")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="stock_movements",
    )
    at = models.DateTimeField(auto_now_add=True)

    objects = StockMovementQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(delta=0), name="movement_moves_something"
            ),
            models.CheckConstraint(
                condition=Q(quantity_after__gte=0), name="movement_leaves_no_debt"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delta:+d} × {self.part_id} ({self.reason})"


def new_name() -> str:
    return uuid4().hex


class PendingImportQuerySet(models.QuerySet["PendingImport"]):
    def expired(self) -> Self:
        return self.filter(created_at__lt=timezone.now() - PendingImport.EXPIRES_AFTER)


class PendingImport(models.Model):
    """An uploaded spreadsheet, as servers of the previous release keep it.

    Nothing reads it any more (``spreadsheets.Upload`` does this now), and the next
    release may remove it.
    """

    #: After this time the file has to be uploaded again.
    EXPIRES_AFTER = timedelta(hours=1)

    name = models.CharField(max_length=32, primary_key=True, default=new_name)
    content = models.BinaryField()
    created_at = models.DateTimeField(
        default=timezone.now, editable=False, db_index=True
    )

    objects = PendingImportQuerySet.as_manager()

    class Meta:
        # Only the import itself uses these rows.
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

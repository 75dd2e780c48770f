"""The shop's customers and their vehicles."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from mechanic_shop.accounts.models import User
from mechanic_shop.core.emails import normalize_email, validate_ascii_email
from mechanic_shop.core.one_line import OneLineField
from mechanic_shop.core.search_columns import (
    IdentifierField,
    SearchableModel,
    SearchableQuerySet,
    SearchTextField,
)

from . import vin as vins

EARLIEST_YEAR = 1900
MAX_MILEAGE = 2_000_000


class CustomerQuerySet(SearchableQuerySet["Customer"]):
    def not_erased(self) -> Self:
        return self.filter(erased_at=None)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Keep the rows that the user may see; others give a 404, never a 403."""
        rows = self.not_erased()
        if user.has_perm("customers.view_customer"):
            return rows
        return rows.filter(user=user) if user.is_authenticated else rows.none()


class Customer(SearchableModel):
    """A person who brings vehicles; with ``user`` they can also sign in.

    ``email`` is optional for customers whom the shop enters itself. A linked login and
    its customer always have the same address.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="customer",
        verbose_name="login",
    )
    first_name = OneLineField(max_length=255)
    last_name = OneLineField(max_length=255)
    email = models.EmailField(null=True, blank=True, validators=[validate_ascii_email])
    phone = OneLineField(max_length=50)
    address = OneLineField(max_length=255, blank=True, default="")
    city = OneLineField(max_length=100, blank=True, default="")
    state = OneLineField(max_length=50, blank=True, default="")
    postal_code = OneLineField(max_length=20, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    search_text = SearchTextField(
        words=("first_name", "last_name", "email"), identifiers=("phone",)
    )
    phone_key = IdentifierField("phone", max_length=50)

    objects = CustomerQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=["created_at", "updated_at", "search_text", "phone_key"]
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                name="customer_email_unique",
                violation_error_message="This email address is already in use.",
            ),
        ]
        indexes = [
            # Lists and counts of the customers who are not erased use this index.
            models.Index(fields=["erased_at"], name="customer_erased_at"),
            models.Index(fields=["last_name"], name="customer_last_name"),
            models.Index(fields=["updated_at"], name="customer_updated_at"),
        ]

    def __str__(self) -> str:
        return self.full_name or "(erased)"

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def belongs_to(self, user: User | AnonymousUser) -> bool:
        return self.user_id is not None and self.user_id == user.pk

    def clean(self) -> None:
        self.email = normalize_email(self.email) if self.email else None


def validate_not_of_the_future(year: int) -> None:
    """:raises ValidationError: for a model year after the next one"""
    latest = timezone.now().year + 1
    if year > latest:
        raise ValidationError(f"The year must not be after {latest}.")


class VehicleQuerySet(SearchableQuerySet["Vehicle"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Keep the rows that the user may see: staff all, customers their own."""
        rows = self.filter(customer__erased_at=None)
        if user.has_perm("customers.view_vehicle"):
            return rows
        if not user.is_authenticated:
            return rows.none()
        return rows.filter(customer__user=user)


class Vehicle(SearchableModel):
    """A customer's vehicle. ``vin`` is stored in upper case, without separators."""

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="vehicles"
    )
    vin = models.CharField("VIN", max_length=vins.LENGTH, null=True, blank=True)
    make = OneLineField(max_length=100)
    model = OneLineField(max_length=100)
    year = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(EARLIEST_YEAR), validate_not_of_the_future]
    )
    color = OneLineField(max_length=50, blank=True, default="")
    license_plate = OneLineField(max_length=20, blank=True, default="")
    mileage = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(MAX_MILEAGE)]
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    search_text = SearchTextField(
        words=("year", "make", "model"), identifiers=("license_plate", "vin")
    )
    plate_key = IdentifierField("license_plate", max_length=20)

    objects = VehicleQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=["created_at", "updated_at", "search_text", "plate_key"]
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["vin"],
                name="vehicle_vin_unique",
                violation_error_message="A vehicle with this VIN exists already.",
            ),
            models.CheckConstraint(
                condition=Q(year__gte=EARLIEST_YEAR),
                name="vehicle_year_plausible",
                violation_error_message=f"The year is before {EARLIEST_YEAR}.",
            ),
            models.CheckConstraint(
                condition=Q(mileage=None) | Q(mileage__lte=MAX_MILEAGE),
                name="vehicle_mileage_plausible",
                violation_error_message=f"The mileage is over {MAX_MILEAGE:,}.",
            ),
        ]
        indexes = [
            models.Index(fields=["license_plate"], name="vehicle_license_plate"),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.make} {self.model}"

    @property
    def vin_check(self) -> vins.VinCheck:
        return vins.check_vin(self.vin)

    def belongs_to(self, user: User | AnonymousUser) -> bool:
        return self.customer.belongs_to(user)

    def clean(self) -> None:
        self.vin = vins.normalize_vin(self.vin or "") or None
        if error := vin_error(self.vin, self.year):
            raise ValidationError({"vin": error})


def vin_error(vin: str | None, year: int | None) -> str | None:
    """Return what is wrong with a normalised VIN for that year, or None."""
    if not vin:
        return None
    if not vins.has_vin_characters(vin):
        return "A VIN has only the letters A-Z without I, O, Q and the digits 0-9."
    modern = year is not None and year >= vins.FIRST_YEAR_OF_17
    if len(vin) > vins.LENGTH or (modern and len(vin) != vins.LENGTH):
        return f"A VIN since {vins.FIRST_YEAR_OF_17} has {vins.LENGTH} characters."
    return None

"""Invariants of customers: what was erased stays erased."""

from __future__ import annotations

from collections.abc import Iterator

from mechanic_shop.core.registry import invariants

from .models import Customer, Vehicle
from .services import PERSONAL_FIELDS


@invariants.add
def erased_customers_with_personal_data() -> Iterator[str]:
    erased = Customer.objects.exclude(erased_at=None)
    blank = dict.fromkeys(PERSONAL_FIELDS, "")
    customers = erased.exclude(**blank, email=None, user=None).order_by("pk")
    for pk in customers.values_list("pk", flat=True).iterator():
        yield f"Customer {pk} was erased, but has personal data."


@invariants.add
def vehicles_of_erased_customers() -> Iterator[str]:
    theirs = Vehicle.objects.exclude(customer__erased_at=None)
    vehicles = theirs.exclude(license_plate="", vin=None).order_by("pk")
    for pk, customer in vehicles.values_list("pk", "customer_id").iterator():
        yield f"Vehicle {pk} keeps plate or VIN of customer {customer}, who was erased."

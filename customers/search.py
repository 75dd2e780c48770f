"""Find customers and vehicles from anywhere in the back office."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from unfold.dataclasses import SearchResult

from mechanic_shop.accounts.models import User
from mechanic_shop.admin.search import (
    MAX_RESULTS,
    column_without_punctuation,
    match_every_word,
    search_result,
    strip_punctuation,
)
from mechanic_shop.core.registry import search_source

from .models import Customer, Vehicle
from .vin import normalize_vin


@search_source("customers.view_customer", order=20)
def find_customers(user: User, term: str) -> Iterator[SearchResult]:
    wanted = match_every_word(term, "first_name", "last_name", "email", "phone")
    digits = strip_punctuation(term)
    if digits.isdecimal():
        wanted |= Q(phone_digits__contains=digits)
    rows = Customer.objects.visible_to(user).annotate(
        phone_digits=column_without_punctuation("phone")
    )
    named = rows.filter(wanted).order_by("last_name", "first_name", "pk")
    for customer in named[:MAX_RESULTS]:
        description = [customer.phone, customer.email or ""]
        yield search_result(customer, str(customer), description, "person")


@search_source("customers.view_vehicle", order=30)
def find_vehicles(user: User, term: str) -> Iterator[SearchResult]:
    wanted = match_every_word(term, "make", "model", "license_plate")
    if plate := strip_punctuation(term):
        wanted |= Q(plate_text__icontains=plate)
    if vin := normalize_vin(term):
        wanted |= Q(vin__endswith=vin) | Q(vin__startswith=vin)
    rows = Vehicle.objects.visible_to(user).select_related("customer")
    rows = rows.annotate(plate_text=column_without_punctuation("license_plate")).filter(
        wanted
    )
    for vehicle in rows.order_by("-pk")[:MAX_RESULTS]:
        description = [
            vehicle.license_plate,
            f"VIN …{vehicle.vin[-6:]}" if vehicle.vin else "",
        ]
        if user.has_perm("customers.view_customer"):
            description.append(str(vehicle.customer))
        yield search_result(vehicle, str(vehicle), description, "directions_car")

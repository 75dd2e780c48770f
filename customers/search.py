"""Find customers and vehicles from anywhere in the back office."""

from __future__ import annotations

from collections.abc import Iterator

from unfold.dataclasses import SearchResult

from mechanic_shop.accounts.models import User
from mechanic_shop.admin.search import MAX_RESULTS, search_result
from mechanic_shop.core.registry import search_source
from mechanic_shop.core.search_text import match_words

from .models import Customer, Vehicle


@search_source("customers.view_customer", order=20)
def find_customers(user: User, term: str) -> Iterator[SearchResult]:
    wanted = match_words(term.split(), "search_text")
    named = Customer.objects.visible_to(user).filter(wanted)
    for customer in named.order_by("last_name", "first_name", "pk")[:MAX_RESULTS]:
        description = [customer.phone, customer.email or ""]
        yield search_result(customer, str(customer), description, "person")


@search_source("customers.view_vehicle", order=30)
def find_vehicles(user: User, term: str) -> Iterator[SearchResult]:
    columns = ["search_text"]
    sees_owner = user.has_perm("customers.view_customer")
    if sees_owner:
        columns.append("customer__search_text")
    rows = Vehicle.objects.visible_to(user).select_related("customer")
    rows = rows.filter(match_words(term.split(), *columns))
    for vehicle in rows.order_by("-pk")[:MAX_RESULTS]:
        description = [
            vehicle.license_plate,
            f"VIN …{vehicle.vin[-6:]}" if vehicle.vin else "",
            str(vehicle.customer) if sees_owner else "",
        ]
        yield search_result(vehicle, str(vehicle), description, "directions_car")

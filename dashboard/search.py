"""Finding things from anywhere: Ctrl+K looks through tickets, people, cars and parts.

One query for each kind of thing, and none for what the person may not view.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import reduce
from operator import and_, or_
from time import perf_counter
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.functions import Replace
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.dataclasses import SearchResult

from customers.models import Customer, Vehicle
from customers.vin import normalize_vin
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.admin import user_of
from tickets.models import ServiceTicket

#: More of a kind than this is a list to filter, not a thing to jump to.
AT_MOST = 6
LONGEST = 100
TICKET_NUMBER = re.compile(r"(?:ticket\s*|#\s*)?([0-9]{1,18})")
#: What people put between the digits of a phone number or the groups of a plate.
PUNCTUATION = " -().+/"

Looks = Callable[[User, str], Iterator[SearchResult]]


def search(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Answer the search box.

    Unfold's own view keeps what it found for five minutes: names of customers who were
    erased since, and rows that the person may not see any more.
    """
    began = perf_counter()
    term = request.GET.get("s", "").strip()[:LONGEST]
    if not term:
        return HttpResponse()
    results = [*_pages(request, term), *find(request, term)]
    context = {
        "results": results,
        "page_obj": Paginator(results, max(1, len(results))),
        "page_counter": 0,
        "execution_time": perf_counter() - began,
        "command_show_history": False,
    }
    template = "unfold/helpers/command_results.html"
    headers = {"HX-Trigger": "search"}
    return TemplateResponse(request, template, context, headers=headers)


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """Find rows of the shop that the person may view, a few of each kind."""
    user = user_of(request)
    looks: tuple[tuple[str, Looks], ...] = (
        ("tickets.view_serviceticket", _tickets),
        ("customers.view_customer", _customers),
        ("customers.view_vehicle", _vehicles),
        ("inventory.view_part", _parts),
    )
    return [
        result
        for permission, look in looks
        if user.has_perm(permission)
        for result in look(user, term)
    ]


def _pages(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """Find entries of the sidebar."""
    site: Any = admin.site  # unfold's, which Django's stubs do not know
    for group in site.get_sidebar_list(request):
        for item in group["items"]:
            if item["has_permission"] and term.lower() in item["title"].lower():
                yield SearchResult(
                    item["title"], group["title"], str(item["link"]), item["icon"]
                )


def _tickets(user: User, term: str) -> Iterator[SearchResult]:
    wanted = Q(problem_description__icontains=term)
    number = TICKET_NUMBER.fullmatch(term.lower())
    if number:
        wanted |= Q(pk=int(number[1]))
    rows = ServiceTicket.objects.visible_to(user).select_related("vehicle", "customer")
    newest = rows.filter(wanted).order_by("-pk")
    for ticket in _exact_first(newest, int(number[1]) if number else None):
        told = [ticket.get_status_display()]
        if user.has_perm("customers.view_vehicle"):
            told.append(str(ticket.vehicle))
        if user.has_perm("customers.view_customer"):
            told.append(str(ticket.customer))
        told.append(_shortened(ticket.problem_description))
        yield _result(ticket, f"{ticket}", told, "assignment")


def _exact_first(tickets: QuerySet[ServiceTicket], pk: int | None) -> Any:
    """Put the ticket whose number was typed before those that mention the number."""
    if pk is None:
        return tickets[:AT_MOST]
    return tickets.annotate(is_it=Q(pk=pk)).order_by("-is_it", "-pk")[:AT_MOST]


def _customers(user: User, term: str) -> Iterator[SearchResult]:
    wanted = _every_word(term, "first_name", "last_name", "email", "phone")
    digits = _bare(term)
    if digits.isdecimal():
        wanted |= Q(bare_phone__contains=digits)
    rows = Customer.objects.visible_to(user).annotate(bare_phone=_without("phone"))
    named = rows.filter(wanted).order_by("last_name", "first_name", "pk")
    for customer in named[:AT_MOST]:
        told = [customer.phone, customer.email or ""]
        yield _result(customer, str(customer), told, "person")


def _vehicles(user: User, term: str) -> Iterator[SearchResult]:
    wanted = _every_word(term, "make", "model", "license_plate")
    if plate := _bare(term):
        wanted |= Q(bare_plate__icontains=plate)
    if vin := normalize_vin(term):
        wanted |= Q(vin__endswith=vin) | Q(vin__startswith=vin)
    rows = Vehicle.objects.visible_to(user).select_related("customer")
    rows = rows.annotate(bare_plate=_without("license_plate")).filter(wanted)
    for vehicle in rows.order_by("-pk")[:AT_MOST]:
        told = [
            vehicle.license_plate,
            f"VIN …{vehicle.vin[-6:]}" if vehicle.vin else "",
        ]
        if user.has_perm("customers.view_customer"):
            told.append(str(vehicle.customer))
        yield _result(vehicle, str(vehicle), told, "directions_car")


def _parts(user: User, term: str) -> Iterator[SearchResult]:
    rows = Part.objects.visible_to(user).filter(
        _every_word(term, "part_number", "name", "manufacturer")
    )
    for part in rows.order_by("-is_active", "part_number", "pk")[:AT_MOST]:
        told = [f"{part.quantity_in_stock:,} in stock"]
        told += ["to be ordered"] if part.needs_reorder else []
        told += [] if part.is_active else ["not in use"]
        yield _result(part, str(part), told, "inventory_2")


def _result(row: Model, title: str, told: list[str], icon: str) -> SearchResult:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    description = " · ".join(part for part in told if part)
    return SearchResult(title, description, reverse(name, args=[row.pk]), icon)


def _every_word(term: str, *fields: str) -> Q:
    """Ask that each word is in one of the fields: “ada love” finds Ada Lovelace."""
    words = [
        reduce(or_, (Q(**{f"{field}__icontains": word}) for field in fields))
        for word in term.split()
    ]
    return reduce(and_, words)


def _bare(term: str) -> str:
    return "".join(sign for sign in term if sign not in PUNCTUATION)


def _without(field: str) -> Any:
    """Leave the punctuation out of a column."""
    bare: Any = F(field)
    for sign in PUNCTUATION:
        bare = Replace(bare, Value(sign), Value(""))
    return bare


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"

"""Find service tickets from anywhere in the back office."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet
from unfold.dataclasses import SearchResult

from mechanic_shop.accounts.models import User
from mechanic_shop.admin.search import MAX_RESULTS, search_result
from mechanic_shop.core.registry import search_source

from .models import ServiceTicket

TICKET_NUMBER = re.compile(r"(?:ticket\s*|#\s*)?([0-9]{1,18})")


@search_source("tickets.view_serviceticket", order=10)
def find_tickets(user: User, term: str) -> Iterator[SearchResult]:
    wanted = Q(problem_description__icontains=term)
    number = TICKET_NUMBER.fullmatch(term.lower())
    if number:
        wanted |= Q(pk=int(number[1]))
    rows = ServiceTicket.objects.visible_to(user).select_related("customer")
    newest = rows.filter(wanted).order_by("-pk")
    for ticket in _exact_first(newest, int(number[1]) if number else None):
        description = [ticket.get_status_display()]
        if user.has_perm("customers.view_vehicle"):
            description.append(ticket.vehicle_name)
        if user.has_perm("customers.view_customer"):
            description.append(str(ticket.customer))
        description.append(_shorten(ticket.problem_description))
        yield search_result(ticket, f"{ticket}", description, "assignment")


def _exact_first(tickets: QuerySet[ServiceTicket], pk: int | None) -> Any:
    """Put the ticket whose number was typed before those that mention the number."""
    if pk is None:
        return tickets[:MAX_RESULTS]
    return tickets.annotate(is_it=Q(pk=pk)).order_by("-is_it", "-pk")[:MAX_RESULTS]


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"

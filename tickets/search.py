"""Find service tickets from anywhere in the back office."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Q
from django.utils import timezone
from unfold.dataclasses import SearchResult

from mechanic_shop.accounts.models import User
from mechanic_shop.admin.search import MAX_RESULTS, search_result
from mechanic_shop.core.registry import search_source
from mechanic_shop.core.search_text import match_words

from .models import MECHANICS_OF_TICKETS, ServiceTicket

TICKET_NUMBER = re.compile(r"(?:ticket\s*|#\s*)?([0-9]{1,18})")


@search_source("tickets.view_serviceticket", order=10)
def find_tickets(user: User, term: str) -> Iterator[SearchResult]:
    """Find the ticket of that number first, then open ones, then the newest."""
    tickets = _search(user, term)
    mechanics = _mechanics_of(tickets, user)
    for ticket in tickets:
        description = [
            ticket.get_status_display(),
            _age(ticket),
            mechanics[ticket.pk],
            *_about_vehicle(ticket, user),
            str(ticket.customer) if user.has_perm("customers.view_customer") else "",
            _shorten(ticket.problem_description),
        ]
        yield search_result(ticket, f"{ticket}", description, "assignment")


def _search(user: User, term: str) -> list[ServiceTicket]:
    columns = ["search_text"]
    if user.has_perm("customers.view_customer"):
        columns.append("customer__search_text")
    number = TICKET_NUMBER.fullmatch(term.lower())
    is_it = Q(pk=int(number[1]) if number else 0)
    rows = ServiceTicket.objects.visible_to(user).with_customer()
    found = rows.filter(is_it | match_words(term.split(), *columns)).annotate(
        is_it=is_it, is_open=Q(status__in=ServiceTicket.STARTS)
    )
    return list(found.order_by("-is_it", "-is_open", "-pk")[:MAX_RESULTS])


def _mechanics_of(tickets: Sequence[ServiceTicket], user: User) -> dict[int, str]:
    names: defaultdict[int, list[str]] = defaultdict(list)
    if tickets and user.has_perm("mechanics.view_mechanic"):
        for line in MECHANICS_OF_TICKETS.all(*(ticket.pk for ticket in tickets)):
            names[line.ticket_id].append(line.mechanic.full_name)
        return {
            ticket.pk: ", ".join(names[ticket.pk]) or "no mechanic"
            for ticket in tickets
        }
    return dict.fromkeys((ticket.pk for ticket in tickets), "")


def _about_vehicle(ticket: ServiceTicket, user: User) -> Iterable[str]:
    if not user.has_perm("customers.view_vehicle"):
        return []
    return [ticket.vehicle_name, ticket.vehicle_license_plate]


def _age(ticket: ServiceTicket) -> str:
    """Return the days that a ticket is open, or closed."""
    began = timezone.localdate(ticket.closed_at or ticket.opened_at)
    days = max((timezone.localdate() - began).days, 0)
    if days == 0:
        return "today"
    since = "1 day" if days == 1 else f"{days} days"
    return f"{since} ago" if ticket.closed_at else since


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"

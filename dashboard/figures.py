"""The dashboard, which is the index page of the admin site."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q, Sum, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.admin import user_of
from mechanic_shop.core.money import format_cents
from mechanic_shop.core.registry import DashboardCard, dashboard_cards
from mechanics.models import Mechanic
from tickets.admin.permissions import CHANGE, SEE_COSTS
from tickets.models import (
    ServiceTicket,
    TicketEvent,
    TicketEventKind,
    TicketMechanic,
    TicketPart,
    TicketStatus,
)

from . import links

Status = TicketStatus
Kind = TicketEventKind
Figures = dict[str, Any]

CACHE_SECONDS = 60
DAYS = 30
MAX_LOW_STOCK_ROWS = 8
MAX_MECHANICS = 10
MAX_EVENTS = 7
NOTE_LENGTH = 80

SEE_TICKETS = "tickets.view_serviceticket"
SEE_MINUTES = "tickets.view_ticketmechanic"

#: The rows behind figures of work that is not finished.
UNFINISHED = {"closed_at__isnull": True}


# --- Figures by permission ------------------------------------------------------------


def dashboard_callback(request: HttpRequest, context: Figures) -> Figures:
    """Add the dashboard to the context; unfold calls this for the first page."""
    user = user_of(request)
    figures = figures_for(user)
    return {
        **context,
        **figures,
        "title": "Dashboard",
        "steps": first_steps(user, figures.get("found")),
        "can_restock": user.has_perm("inventory.adjust_quantity"),
        "can_open_ticket": user.has_perm("tickets.add_serviceticket"),
        "sees_tickets": user.has_perm(SEE_TICKETS),
    }


def figures_for(user: User) -> Figures:
    """Return the figures that somebody with the user's permissions may see.

    They are cached for a minute, with the relevant permissions in the key: users with
    the same permissions see the same figures, and none depends on the single user.
    """
    held = [
        permission for permission in relevant_permissions() if user.has_perm(permission)
    ]
    figures: Figures | None = cache.get(cache_key(held))
    if figures is None:
        figures = _figures(set(held))
        # While a shop is being set up, each finished step has to show at once.
        if "found" not in figures:
            cache.set(cache_key(held), figures, CACHE_SECONDS)
    return figures


def cache_key(held: list[str]) -> str:
    return ":".join(["dashboard", *held])


def _figures(held: set[str]) -> Figures:
    figures: Figures = {"cards": []}
    for card in dashboard_cards:
        if card.permissions <= held:
            section = card.read()
            figures["cards"] += section.pop("cards", [])
            figures |= section
    return figures


def _card(title: str, value: str, icon: str, link: str, hint: str) -> Figures:
    return {"title": title, "value": value, "icon": icon, "link": link, "hint": hint}


# --- Tickets --------------------------------------------------------------------------


def tickets_section() -> Figures:
    counts = ServiceTicket.objects.aggregate(
        ever=Count("pk"),
        open=Count("pk", filter=Q(status=Status.OPEN)),
        in_progress=Count("pk", filter=Q(status=Status.IN_PROGRESS)),
        waiting=Count("pk", filter=Q(status=Status.WAITING)),
        completed=Count(
            "pk",
            filter=Q(status=Status.COMPLETED, closed_at__gte=links.start_of_week()),
        ),
    )
    if not counts["ever"]:
        return {"found": existing_models()}
    return {"cards": _ticket_cards(counts), "days": tickets_chart()}


def _ticket_cards(counts: dict[str, int]) -> list[Figures]:
    cards = (
        (Status.OPEN, "inbox", "not started yet"),
        (Status.IN_PROGRESS, "build", "being worked on"),
        (Status.WAITING, "hourglass_empty", "held up"),
        (Status.COMPLETED, "task_alt", "since Monday"),
    )
    titles = {Status.COMPLETED: "Completed this week"}
    return [
        _card(
            titles.get(status, status.label),
            f"{counts[status.value]:,}",
            icon,
            links.tickets_url(status),
            hint,
        )
        for status, icon, hint in cards
    ]


def tickets_chart() -> Figures:
    """Count the tickets opened and closed on each of the last days.

    The days are computed in Python: MySQL has no time zones until their tables are
    loaded.
    """
    today = timezone.localdate()
    days = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    first = timezone.now() - timedelta(days=DAYS)
    recent = ServiceTicket.objects.filter(
        Q(opened_at__gte=first) | Q(closed_at__gte=first)
    )
    times = list(recent.order_by().values_list("opened_at", "closed_at"))
    opened = _per_day(days, [opened_at for opened_at, _ in times])
    closed = _per_day(days, [closed_at for _, closed_at in times if closed_at])
    return {
        "data": json.dumps(_chart_data(days, opened, closed)),
        "options": json.dumps(CHART_OPTIONS),
        "rows": list(zip(days, opened, closed, strict=True)),
        "opened": sum(opened),
        "closed": sum(closed),
    }


def _per_day(days: list[date], times: list[datetime]) -> list[int]:
    counts = Counter(timezone.localdate(moment) for moment in times)
    return [counts[day] for day in days]


def _chart_data(days: list[date], opened: list[int], closed: list[int]) -> Figures:
    def bars(label: str, data: list[int], color: str) -> Figures:
        fill = f"var(--color-{color})"
        return {
            "label": label,
            "data": data,
            "backgroundColor": fill,
            "borderRadius": 3,
            "categoryPercentage": 0.7,
            "barPercentage": 0.9,
        }

    return {
        "labels": [f"{day:%b} {day.day}" for day in days],
        "datasets": [
            bars("Opened", opened, "primary-500"),
            bars("Closed", closed, "green-500"),
        ],
    }


_TICKS = {"color": "#8a93a3", "maxRotation": 0, "precision": 0}
CHART_OPTIONS: Figures = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {"legend": {"display": False}},
    "scales": {
        "x": {
            "grid": {"display": False},
            "border": {"display": False},
            "ticks": {**_TICKS, "maxTicksLimit": 10},
        },
        "y": {
            "beginAtZero": True,
            "suggestedMax": 4,
            "grid": {"tickLength": 0},
            "border": {"display": False, "dash": [4, 4]},
            "ticks": {**_TICKS, "maxTicksLimit": 5, "padding": 8},
        },
    },
}


# --- Parts and work on unfinished tickets ---------------------------------------------


def parts_value_section() -> Figures:
    """Add up what customers will pay for the parts; each line is rounded separately."""
    lines = TicketPart.objects.filter(
        ticket__status__in=ServiceTicket.STARTS, returned_at=None
    ).only("quantity_used", "unit_cost_cents", "markup_percentage")
    cents = sum(line.total_cost_cents for line in lines)
    link = links.changelist_url(ServiceTicket, **UNFINISHED)
    hint = "on unfinished tickets"
    card = _card("Parts value", format_cents(cents), "payments", link, hint)
    return {"cards": [card]}


def minutes_section() -> Figures:
    work = TicketMechanic.objects.filter(ticket__status__in=ServiceTicket.STARTS)
    minutes = work.aggregate(total=Sum("minutes_worked"))["total"] or 0
    link = links.changelist_url(ServiceTicket, **UNFINISHED)
    hint = "on unfinished tickets"
    card = _card("Time worked", format_minutes(minutes), "timer", link, hint)
    return {"cards": [card]}


def workload_section() -> Figures:
    """Count the unfinished tickets and their minutes of each active mechanic."""
    unfinished = Q(ticket_mechanics__ticket__status__in=ServiceTicket.STARTS)
    mechanics = (
        Mechanic.objects.active()
        .annotate(
            open_tickets=Count("ticket_mechanics", filter=unfinished),
            minutes=Sum("ticket_mechanics__minutes_worked", filter=unfinished),
        )
        .order_by("-open_tickets", "full_name", "pk")
        .values_list("pk", "full_name", "open_tickets", "minutes")
    )
    rows = list(mechanics[:MAX_MECHANICS])
    most = max((tickets for _, _, tickets, _ in rows), default=0)
    return {
        "workload": [
            {
                "name": name,
                "link": links.board_url(mechanic=pk),
                "tickets": tickets,
                "time": format_minutes(minutes or 0),
                "percent": round(100 * tickets / most) if most else 0,
            }
            for pk, name, tickets, minutes in rows
        ],
        "mechanics_link": links.changelist_url(Mechanic, is_active__exact=1),
    }


def format_minutes(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{hours:,} h {rest:02d} min" if hours else f"{rest} min"


# --- Stock ----------------------------------------------------------------------------


def stock_section() -> Figures:
    low = Part.objects.active().low_on_stock()
    count = low.count()
    link = links.changelist_url(Part, stock="low", is_active__exact=1)
    hint = "to be ordered" if count else "enough of everything"
    card = _card("Parts low on stock", f"{count:,}", "inventory_2", link, hint)
    return {
        "cards": [card],
        "low_stock": [
            _low_part(part) for part in low.order_by_stock()[:MAX_LOW_STOCK_ROWS]
        ],
        "low_stock_more": max(count - MAX_LOW_STOCK_ROWS, 0),
        "low_stock_link": link,
    }


def _low_part(part: Part) -> Figures:
    return {
        "number": part.part_number,
        "name": part.name,
        "supplier": part.supplier,
        "in_stock": part.quantity_in_stock,
        "reorder_level": part.reorder_level,
        "link": links.change_url(part),
        "restock": reverse("admin:inventory_part_receive_stock", args=[part.pk]),
    }


# --- Events ---------------------------------------------------------------------------


def events_section() -> Figures:
    events = TicketEvent.objects.select_related("ticket", "by").order_by("-pk")
    return {
        "events": [
            {
                "ticket": str(event.ticket),
                "link": links.change_url(event.ticket),
                "what": event.get_kind_display(),
                "detail": describe_event(event),
                "icon": EVENT_ICONS[Kind(event.kind)],
                "by": event.by.full_name or event.by.email,
                "at": event.at,
            }
            for event in events[:MAX_EVENTS]
        ],
        "events_link": links.changelist_url(TicketEvent),
    }


EVENT_ICONS = {
    Kind.OPENED: "add_circle",
    Kind.STATUS_CHANGED: "swap_horiz",
    Kind.FIELDS_CHANGED: "edit",
    Kind.MECHANIC_ASSIGNED: "person_add",
    Kind.MECHANIC_REMOVED: "person_remove",
    Kind.ASSIGNMENT_CHANGED: "timer",
    Kind.PART_INSTALLED: "settings",
    Kind.PART_CHANGED: "settings",
    Kind.PART_REMOVED: "remove_circle",
    Kind.PART_RETURNED: "undo",
    Kind.NOTE: "chat",
}


def describe_event(event: TicketEvent) -> str:
    """Describe an event's detail in a few words, without amounts."""
    detail = event.detail
    match Kind(event.kind):
        case Kind.STATUS_CHANGED:
            return f"{Status(detail['from']).label} → {Status(detail['to']).label}"
        case Kind.FIELDS_CHANGED:
            return ", ".join(name.replace("_", " ") for name in detail["changes"])
        case Kind.NOTE:
            return _shorten(detail["text"])
        case _:
            return str(detail.get("part_name") or detail.get("full_name") or "")


def _shorten(text: str) -> str:
    return text if len(text) <= NOTE_LENGTH else f"{text[:NOTE_LENGTH].rstrip()}…"


# --- A shop without tickets -----------------------------------------------------------


def existing_models() -> list[str]:
    """Return the models of which a shop without tickets has rows, in one query."""
    kinds = [
        model._default_manager.order_by().values_list(Value(model._meta.model_name))
        for model in (Mechanic, Part, Customer)
    ]
    return sorted(name for (name,) in kinds[0].union(*kinds[1:]))


#: The first steps of a new shop: permission, model, icon, title, text.
STEPS = (
    (
        "mechanics.add_mechanic",
        Mechanic,
        "engineering",
        "Add your mechanics",
        "They are assigned to tickets and log their minutes.",
    ),
    (
        "inventory.add_part",
        Part,
        "inventory_2",
        "Put parts on the shelf",
        "Each with its cost, its stock and when to reorder.",
    ),
    (
        "customers.add_customer",
        Customer,
        "person_add",
        "Enter a customer and a vehicle",
        "A ticket is always about a vehicle and its owner.",
    ),
    (
        "tickets.add_serviceticket",
        ServiceTicket,
        "assignment_add",
        "Open the first ticket",
        "From then on this page is about your work.",
    ),
)


def first_steps(user: User, found: list[str] | None) -> list[Figures] | None:
    """List the setup steps that the user may do; None once there are tickets."""
    if found is None:
        return None
    return [
        {
            "title": title,
            "text": text,
            "icon": icon,
            "is_done": model._meta.model_name in found,
            "link": reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_add"),
        }
        for permission, model, icon, title, text in STEPS
        if user.has_perm(permission)
    ]


# --- Cards ----------------------------------------------------------------------------

for permissions, read in (
    ({SEE_TICKETS}, tickets_section),
    ({SEE_COSTS}, stock_section),
    # Users who deal with customers may see what they will pay.
    ({SEE_TICKETS, "tickets.view_ticketpart", SEE_COSTS, CHANGE}, parts_value_section),
    ({SEE_TICKETS, SEE_MINUTES}, minutes_section),
    ({SEE_TICKETS, SEE_MINUTES, "mechanics.view_mechanic"}, workload_section),
    ({SEE_TICKETS, "tickets.view_ticketevent"}, events_section),
):
    dashboard_cards.add(DashboardCard(frozenset(permissions), read))


def relevant_permissions() -> list[str]:
    """Return the permissions that decide what the dashboard shows."""
    return sorted(frozenset().union(*(card.permissions for card in dashboard_cards)))

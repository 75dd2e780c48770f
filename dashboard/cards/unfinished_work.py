"""Parts and minutes on unfinished tickets, and whom they keep busy."""

from __future__ import annotations

from django.db.models import Count, Q, Sum

from mechanic_shop.core.money import format_cents
from mechanics.models import Mechanic
from tickets.models import (
    ServiceTicket,
    TicketMechanic,
    TicketPart,
)

from .. import links
from .card import Figures, build_card

MAX_MECHANICS = 10
#: The rows behind figures of work that is not finished.
UNFINISHED = {"closed_at__isnull": True}


def parts_value_section() -> Figures:
    """Add up what customers will pay for the parts; each line is rounded separately."""
    lines = TicketPart.objects.filter(
        ticket__status__in=ServiceTicket.STARTS, returned_at=None
    ).only("quantity_used", "unit_cost_cents", "markup_percentage")
    cents = sum(line.total_cost_cents for line in lines)
    link = links.changelist_url(ServiceTicket, **UNFINISHED)
    hint = "on unfinished tickets"
    card = build_card("Parts value", format_cents(cents), "payments", link, hint)
    return {"cards": [card]}


def minutes_section() -> Figures:
    work = TicketMechanic.objects.filter(ticket__status__in=ServiceTicket.STARTS)
    minutes = work.aggregate(total=Sum("minutes_worked"))["total"] or 0
    link = links.changelist_url(ServiceTicket, **UNFINISHED)
    hint = "on unfinished tickets"
    card = build_card("Time worked", format_minutes(minutes), "timer", link, hint)
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

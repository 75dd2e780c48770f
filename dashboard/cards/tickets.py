"""Tickets by status, and where there are none the first steps."""

from __future__ import annotations

from django.db.models import Count, Q

from tickets.models import (
    ServiceTicket,
    TicketStatus,
)

from .. import links
from .card import Figures, build_card
from .first_steps import existing_models
from .ticket_chart import tickets_chart

Status = TicketStatus


def tickets_section() -> Figures:
    counts = ServiceTicket.objects.aggregate(
        ever=Count("pk"),
        open=Count("pk", filter=Q(status=Status.OPEN)),
        in_progress=Count("pk", filter=Q(status=Status.IN_PROGRESS)),
        waiting=Count("pk", filter=Q(status=Status.WAITING)),
        completed=Count(
            "pk",
            filter=Q(status=Status.COMPLETED, handed_over_at=None),
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
        (Status.COMPLETED, "key", "not handed over yet"),
    )
    titles = {Status.COMPLETED: "Ready"}
    return [
        build_card(
            titles.get(status, status.label),
            f"{counts[status.value]:,}",
            icon,
            links.tickets_url(status),
            hint,
        )
        for status, icon, hint in cards
    ]

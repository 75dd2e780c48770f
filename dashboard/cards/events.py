"""The latest events of all tickets."""

from __future__ import annotations

from tickets.models import (
    TicketEvent,
    TicketEventKind,
    TicketStatus,
)

from .. import links
from .card import Figures

Status = TicketStatus
Kind = TicketEventKind

MAX_EVENTS = 7
NOTE_LENGTH = 80


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
    Kind.HANDED_OVER: "key",
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

"""Which permission which change of a ticket needs; the API and the admin ask here."""

from __future__ import annotations

from typing import Any

from .models import ServiceTicket, TicketStatus


def verbs_for(ticket: ServiceTicket, body: dict[str, Any]) -> set[str]:
    """Name the permissions that this update of a ticket needs; repeating needs none."""
    changed = {name for name, value in body.items() if getattr(ticket, name) != value}
    verbs = {"tickets.change_serviceticket"} if changed - {"status"} else set()
    if "status" in changed:
        if body["status"] == TicketStatus.CANCELLED:
            verbs.add("tickets.cancel_ticket")
        elif ticket.is_closed:
            verbs.add("tickets.reopen_ticket")
        else:
            verbs.add("tickets.work_ticket")
    return verbs

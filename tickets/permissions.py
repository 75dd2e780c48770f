"""The permissions that a change of a ticket needs; used by the API and the admin."""

from __future__ import annotations

from typing import Any

from .models import ServiceTicket, TicketStatus


def required_permissions(ticket: ServiceTicket, body: dict[str, Any]) -> set[str]:
    """Return the permissions that an update needs; unchanged values need none."""
    changed = {name for name, value in body.items() if getattr(ticket, name) != value}
    permissions = {"tickets.change_serviceticket"} if changed - {"status"} else set()
    if "status" in changed:
        if body["status"] == TicketStatus.CANCELLED:
            permissions.add("tickets.cancel_ticket")
        elif ticket.is_closed:
            permissions.add("tickets.reopen_ticket")
        else:
            permissions.add("tickets.work_ticket")
    return permissions

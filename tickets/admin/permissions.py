"""Who may do what on a ticket's page."""

from __future__ import annotations

from django.http import HttpRequest

from tickets.models import (
    ServiceTicket,
)

SEE_COSTS = "inventory.view_part"
ASSIGN = "tickets.assign_mechanic"
CHANGE_ALL_MINUTES = "tickets.change_ticketmechanic"
LOG_OWN_MINUTES = "tickets.log_minutes"
INSTALL = "tickets.install_part"
REMOVE = "tickets.remove_part"
CHANGE = "tickets.change_serviceticket"


def takes_work(request: HttpRequest, ticket: ServiceTicket | None) -> bool:
    """Return whether to offer the fields of a ticket.

    A posted form passes, so that the service says in words that the ticket was closed
    while the form was open.
    """
    return ticket is None or request.method == "POST" or not ticket.is_closed


def may_any(request: HttpRequest, *permissions: str) -> bool:
    return any(request.user.has_perm(permission) for permission in permissions)

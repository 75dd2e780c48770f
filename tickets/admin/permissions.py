"""The permissions that decide what a ticket's admin page offers."""

from __future__ import annotations

from django.http import HttpRequest

from tickets.models import (
    ServiceTicket,
)

SEE_STOCK = "inventory.view_part"
#: Together they show what parts cost the shop, and its markup.
SEE_COSTS = (SEE_STOCK, "tickets.view_margin")
ASSIGN = "tickets.assign_mechanic"
CHANGE_ALL_MINUTES = "tickets.change_ticketmechanic"
LOG_OWN_MINUTES = "tickets.log_minutes"
INSTALL = "tickets.install_part"
REMOVE = "tickets.remove_part"
CHANGE = "tickets.change_serviceticket"


def accepts_work(request: HttpRequest, ticket: ServiceTicket | None) -> bool:
    """Return whether the fields of a ticket can be edited.

    A posted form passes: if the ticket was closed meanwhile, the service rejects it
    with a message.
    """
    return ticket is None or request.method == "POST" or not ticket.is_closed


def has_any_permission(request: HttpRequest, *permissions: str) -> bool:
    return any(request.user.has_perm(permission) for permission in permissions)

"""Work starts with the ticket's row lock, and only on a ticket that is open."""

from __future__ import annotations

from mechanic_shop.core.errors import Conflict
from mechanic_shop.core.locking import lock_row
from tickets.models import ServiceTicket


class TicketClosed(Conflict):
    """A completed or cancelled ticket takes no work and gives none back."""

    code = "ticket_closed"

    def __init__(self, ticket: ServiceTicket) -> None:
        super().__init__(f"This ticket is {ticket.get_status_display().lower()}.")


def lock_open_ticket(ticket: ServiceTicket) -> ServiceTicket:
    """Lock a ticket, and return it as it is now.

    :raises TicketClosed: if it takes no more work
    """
    ticket = lock_row(ticket)
    if ticket.is_closed:
        raise TicketClosed(ticket)
    return ticket

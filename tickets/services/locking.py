"""Lock a ticket before work on it, and reject work on a closed one."""

from __future__ import annotations

from mechanic_shop.core.errors import Conflict
from mechanic_shop.core.locking import lock_row
from tickets.models import ServiceTicket


class TicketClosed(Conflict):
    """The ticket is completed or cancelled, and accepts no changes of its work."""

    code = "ticket_closed"

    def __init__(self, ticket: ServiceTicket) -> None:
        super().__init__(f"This ticket is {ticket.get_status_display().lower()}.")


def lock_open_ticket(ticket: ServiceTicket) -> ServiceTicket:
    """Lock a ticket and return its current row.

    :raises TicketClosed: if the ticket is closed
    """
    ticket = lock_row(ticket)
    if ticket.is_closed:
        raise TicketClosed(ticket)
    return ticket

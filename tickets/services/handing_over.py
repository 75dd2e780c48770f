"""Hand finished vehicles over to their customers."""

from __future__ import annotations

from django.utils import timezone

from mechanic_shop.accounts.models import User
from mechanic_shop.core.errors import Conflict
from mechanic_shop.core.locking import lock_row
from mechanic_shop.core.transactions import unit_of_work
from tickets.models import ServiceTicket, TicketEventKind

from .events import record


class NotReady(Conflict):
    """The vehicle is still being worked on, or is not in the shop any more."""

    code = "not_ready"


@unit_of_work
def hand_over(*, ticket: ServiceTicket, by: User) -> ServiceTicket:
    """Note that the customer has fetched the vehicle of a completed ticket.

    :raises NotReady: if the ticket is not completed, or was handed over already
    """
    ticket = lock_row(ticket)
    if ticket.handed_over_at:
        raise NotReady("This vehicle was handed over already.")
    if not ticket.is_ready:
        raise NotReady("Only the vehicle of a completed ticket can be handed over.")
    ticket.handed_over_at = timezone.now()
    ticket.save(update_fields=["handed_over_at"])
    record(ticket, TicketEventKind.HANDED_OVER, by, {})
    return ticket

"""Install, change and remove the parts on a ticket, and move their stock."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from inventory.models import Part
from inventory.services import return_stock, take_stock
from mechanic_shop.accounts.models import User
from mechanic_shop.core.errors import Conflict, NotFound
from mechanic_shop.core.transactions import unit_of_work
from mechanics.models import Mechanic
from tickets.models import (
    DEFAULT_MARKUP,
    LINE_OF_PART,
    ServiceTicket,
    TicketEventKind,
    TicketPart,
)

from .events import line_detail, part_detail, record, set_changed
from .locking import lock_open_ticket

Kind = TicketEventKind


class AlreadyInstalled(Conflict):
    code = "already_installed"


class PartInactive(Conflict):
    code = "part_inactive"


@unit_of_work
def install_part(
    *,
    ticket: ServiceTicket,
    part: Part,
    quantity_used: int,
    by: User,
    markup_percentage: Decimal = DEFAULT_MARKUP,
    warranty_months: int | None = None,
    installed_by: Mechanic | None = None,
) -> TicketPart:
    """Take a part from stock and put it on a ticket, at today's cost.

    ``line.part.quantity_in_stock`` is the stock after this movement.

    :raises TicketClosed: if the ticket is closed
    :raises AlreadyInstalled: if the part is on it
    :raises PartInactive: if the part is no longer kept
    :raises InsufficientStock: if fewer units are on hand
    """
    ticket = lock_open_ticket(ticket)
    if LINE_OF_PART.first(ticket.pk, part.pk):
        raise AlreadyInstalled(f"{part} is on this ticket already.")
    movement = take_stock(part=part, quantity=quantity_used, by=by, ticket=ticket)
    # The movement locked the row: from here to the commit nobody changes the part.
    part = movement.part
    if not part.is_active:
        raise PartInactive(f"{part} is no longer kept.")
    line = TicketPart.objects.create(
        ticket=ticket,
        part=part,
        part_number=part.part_number,
        part_name=part.name,
        quantity_used=quantity_used,
        unit_cost_cents=part.current_cost_cents,
        markup_percentage=markup_percentage,
        warranty_months=warranty_months,
        installed_by=installed_by,
    )
    assert movement.quantity_after == part.quantity_in_stock
    record(ticket, Kind.PART_INSTALLED, by, line_detail(line))
    return line


@unit_of_work
def change_installed_part(
    *, ticket: ServiceTicket, part: Part, by: User, **changes: Any
) -> TicketPart:
    """Change a line; a difference in quantity moves stock, the captured cost stays.

    :raises TicketClosed: if the ticket is closed
    :raises NotFound: if the part is not on it
    :raises InsufficientStock: if more units are wanted than are on hand
    """
    ticket = lock_open_ticket(ticket)
    line = _line(ticket, part.pk)
    more = changes.get("quantity_used", line.quantity_used) - line.quantity_used
    if more > 0:
        take_stock(part=part, quantity=more, by=by, ticket=ticket)
    elif more < 0:
        return_stock(part=part, quantity=-more, by=by, ticket=ticket)
    changed = set_changed(line, changes)
    if changed:
        detail = {**part_detail(line), "changes": changed}
        record(ticket, Kind.PART_CHANGED, by, detail)
    return line


@unit_of_work
def remove_part(*, ticket: ServiceTicket, part: Part, by: User) -> None:
    """Take a part off a ticket; its units go back into stock exactly once.

    :raises TicketClosed: if the ticket is closed
    :raises NotFound: if the part is not on it
    """
    ticket = lock_open_ticket(ticket)
    line = _line(ticket, part.pk)
    return_stock(part=part, quantity=line.quantity_used, by=by, ticket=ticket)
    record(ticket, Kind.PART_REMOVED, by, line_detail(line))
    line.delete()


def return_all_parts(ticket: ServiceTicket, by: User) -> None:
    lines = ticket.ticket_parts.select_related("part").filter(returned_at=None)
    for line in lines.order_by("part_id"):
        return_stock(part=line.part, quantity=line.quantity_used, by=by, ticket=ticket)
        line.returned_at = ticket.closed_at
        line.save(update_fields=["returned_at"])
        record(ticket, Kind.PART_RETURNED, by, line_detail(line))


def _line(ticket: ServiceTicket, part_id: int) -> TicketPart:
    line = ticket.ticket_parts.filter(part_id=part_id).first()
    if line is None:
        raise NotFound("This part is not on the ticket.")
    return line

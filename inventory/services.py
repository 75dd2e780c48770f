"""Services that change parts and their stock.

``_move`` is the only function of the project that writes ``quantity_in_stock``.
"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Any

from django.db.models import F
from django.utils import timezone

from mechanic_shop.accounts.models import User
from mechanic_shop.core.errors import Conflict, InUse, NotFound
from mechanic_shop.core.locking import save_changes
from mechanic_shop.core.transactions import unit_of_work

from .models import MAX_STOCK, PART_BY_ID, Part, StockMovement
from .signals import stock_ran_short

if TYPE_CHECKING:
    from tickets.models import ServiceTicket

Reason = StockMovement.Reason


class InsufficientStock(Conflict):
    """Fewer units are in stock than were requested."""

    code = "insufficient_stock"

    def __init__(self, part: Part, *, requested: int, available: int) -> None:
        super().__init__(
            f"Only {available} of {part.part_number} in stock, {requested} requested.",
            requested=requested,
            available=available,
        )


class TooMuchStock(Conflict):
    """The stock would exceed ``MAX_STOCK``."""

    code = "too_much_stock"


@unit_of_work
def add_part(*, by: User, quantity_in_stock: int = 0, **details: Any) -> Part:
    """Add a part to the catalogue; its initial stock is recorded as a movement."""
    details["part_number"] = details.get("part_number") or generate_part_number()
    part = Part.objects.create(**details)
    if quantity_in_stock:
        _move(part, quantity_in_stock, Reason.INITIAL, by)
    return part


def generate_part_number() -> str:
    return f"P-{token_hex(4).upper()}"


@unit_of_work
def update_part(
    *, part: Part, by: User, quantity_in_stock: int | None = None, **changes: Any
) -> Part:
    """Change catalogue fields; a sent quantity that differs is a stock count."""
    part = save_changes(part, changes)
    if quantity_in_stock is not None:
        count_stock(part=part, counted=quantity_in_stock, by=by)
    return part


@unit_of_work
def count_stock(*, part: Part, counted: int, by: User, note: str = "") -> None:
    """Record a stock count; a count that equals the stock writes no movement."""
    current = Part.objects.select_for_update().get(pk=part.pk).quantity_in_stock
    if counted != current:
        _move(part, counted - current, Reason.COUNT, by, note=note)


@unit_of_work
def adjust_stock(
    *,
    part: Part,
    adjustment: int,
    by: User,
    reason: str = Reason.ADJUST,
    note: str = "",
) -> StockMovement:
    """Add units to the stock or take some away, without a ticket.

    :raises InsufficientStock: if fewer units are in stock than are taken away
    """
    return _move(part, adjustment, reason, by, note=note)


@unit_of_work
def take_stock(
    *, part: Part, quantity: int, by: User, ticket: ServiceTicket
) -> StockMovement:
    """Take units of a part out of stock for a ticket.

    :raises InsufficientStock: if fewer than ``quantity`` units are in stock
    """
    return _move(part, -quantity, Reason.INSTALL, by, ticket=ticket)


@unit_of_work
def return_stock(
    *, part: Part, quantity: int, by: User, ticket: ServiceTicket
) -> StockMovement:
    """Put units that a ticket no longer needs back into stock."""
    return _move(part, quantity, Reason.RETURN, by, ticket=ticket)


@unit_of_work
def delete_part(*, part: Part) -> None:
    """Delete a part that was never on a ticket, with its movements.

    :raises InUse: if it was on a ticket; set ``is_active`` to false instead
    """
    part = Part.objects.select_for_update().get(pk=part.pk)
    if part.movements.exclude(ticket=None).exists() or part.ticket_parts.exists():
        raise InUse("This part was used on a service ticket. Deactivate it instead.")
    part.delete()


def _move(
    part: Part,
    delta: int,
    reason: str,
    by: User,
    *,
    ticket: ServiceTicket | None = None,
    note: str = "",
) -> StockMovement:
    """Change a part's stock and write the movement, inside the caller's transaction.

    Check and change are one UPDATE, so two requests can never both get the last unit,
    with or without row locks. The row stays locked until the transaction ends, so
    ``movement.part`` is the part as this movement left it.
    """
    with_room = Part.objects.filter(
        pk=part.pk,
        quantity_in_stock__gte=max(-delta, 0),
        quantity_in_stock__lte=MAX_STOCK - max(delta, 0),
    )
    moved = with_room.update(
        quantity_in_stock=F("quantity_in_stock") + delta, updated_at=timezone.now()
    )
    current = PART_BY_ID.first(part.pk)
    if current is None:
        raise NotFound
    quantity = current.quantity_in_stock
    if not moved and delta < 0:
        stock_ran_short.send(sender=Part, part=current)
        raise InsufficientStock(current, requested=-delta, available=quantity)
    if not moved:
        raise TooMuchStock(f"There is no room for {delta} more units.")
    part.quantity_in_stock = quantity
    return StockMovement.objects.create(
        part=current,
        delta=delta,
        quantity_after=quantity,
        reason=reason,
        ticket=ticket,
        note=note,
        by=by,
    )

"""Every verb that changes what is on the shelf.

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
    """Fewer units are on hand than somebody wants to take."""

    code = "insufficient_stock"

    def __init__(self, part: Part, *, requested: int, available: int) -> None:
        super().__init__(
            f"Only {available} of {part.part_number} in stock, {requested} requested.",
            requested=requested,
            available=available,
        )


class TooMuchStock(Conflict):
    """The shelf would hold more units than the system can count."""

    code = "too_much_stock"


@unit_of_work
def add_part(*, by: User, quantity_in_stock: int = 0, **details: Any) -> Part:
    """Put a new part into the catalogue; its first units are a movement like any."""
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
    """Record what somebody counted on the shelf; an equal count moves nothing."""
    present = Part.objects.select_for_update().get(pk=part.pk).quantity_in_stock
    if counted != present:
        _move(part, counted - present, Reason.COUNT, by, note=note)


@unit_of_work
def adjust_stock(
    *,
    part: Part,
    adjustment: int,
    by: User,
    reason: str = Reason.ADJUST,
    note: str = "",
) -> StockMovement:
    """Add units to the shelf or take some away without a ticket.

    :raises InsufficientStock: if fewer units are on hand than shall go
    """
    return _move(part, adjustment, reason, by, note=note)


@unit_of_work
def take_stock(
    *, part: Part, quantity: int, by: User, ticket: ServiceTicket
) -> StockMovement:
    """Take units of a part off the shelf for a ticket.

    :raises InsufficientStock: if fewer than ``quantity`` units are on hand
    """
    return _move(part, -quantity, Reason.INSTALL, by, ticket=ticket)


@unit_of_work
def return_stock(
    *, part: Part, quantity: int, by: User, ticket: ServiceTicket
) -> StockMovement:
    """Put units that a ticket no longer needs back on the shelf."""
    return _move(part, quantity, Reason.RETURN, by, ticket=ticket)


@unit_of_work
def delete_part(*, part: Part) -> None:
    """Delete a part, with its movements, that never was on a ticket.

    :raises InUse: if it was; set ``is_active`` to false instead
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
    with or without row locks. The row stays locked until the transaction ends, which
    makes ``movement.part`` the part as this very movement left it.
    """
    room = Part.objects.filter(
        pk=part.pk,
        quantity_in_stock__gte=max(-delta, 0),
        quantity_in_stock__lte=MAX_STOCK - max(delta, 0),
    )
    moved = room.update(
        quantity_in_stock=F("quantity_in_stock") + delta, updated_at=timezone.now()
    )
    present = PART_BY_ID.first(part.pk)
    if present is None:
        raise NotFound
    quantity = present.quantity_in_stock
    if not moved and delta < 0:
        stock_ran_short.send(sender=Part, part=present)
        raise InsufficientStock(present, requested=-delta, available=quantity)
    if not moved:
        raise TooMuchStock(f"There is no room for {delta} more units.")
    part.quantity_in_stock = quantity
    return StockMovement.objects.create(
        part=present,
        delta=delta,
        quantity_after=quantity,
        reason=reason,
        ticket=ticket,
        note=note,
        by=by,
    )

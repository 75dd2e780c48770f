"""Write the events of a ticket's timeline, with the old and the new values."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from mechanic_shop.accounts.models import User
from mechanic_shop.core.locking import lock_row
from mechanic_shop.core.transactions import unit_of_work
from mechanics.models import Mechanic
from tickets.models import (
    ServiceTicket,
    TicketEvent,
    TicketEventKind,
    TicketMechanic,
    TicketPart,
)

Kind = TicketEventKind


@unit_of_work
def add_note(
    *, ticket: ServiceTicket, by: User, text: str, visible_to_customer: bool = False
) -> TicketEvent:
    """Write a note on a ticket, open or closed; customers see only visible ones.

    :raises NotFound: if the ticket was deleted meanwhile
    """
    return record(
        lock_row(ticket),
        Kind.NOTE,
        by,
        {"text": text},
        visible_to_customer=visible_to_customer,
    )


def record(
    ticket: ServiceTicket,
    kind: TicketEventKind,
    by: User,
    detail: dict[str, Any],
    *,
    visible_to_customer: bool = False,
) -> TicketEvent:
    ticket.save(update_fields=["updated_at"])
    return TicketEvent.objects.create(
        ticket=ticket,
        kind=kind,
        by=by,
        detail=detail,
        visible_to_customer=visible_to_customer,
    )


def record_each(
    ticket: ServiceTicket,
    kind: TicketEventKind,
    by: User,
    assignments: Sequence[TicketMechanic],
) -> None:
    """Write an event for each of the assignments, if there are any."""
    if not assignments:
        return
    ticket.save(update_fields=["updated_at"])
    TicketEvent.objects.bulk_create(
        TicketEvent(ticket=ticket, kind=kind, by=by, detail=assignment_detail(each))
        for each in assignments
    )


def set_changed(row: Any, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Set and save the values that differ, and return the old and the new ones."""
    changed = {}
    for name, new in values.items():
        old = getattr(row, name)
        if old != new:
            setattr(row, name, new)
            changed[name] = {"old": _to_json(old), "new": _to_json(new)}
    if changed:
        stamps = ["updated_at"] if hasattr(row, "updated_at") else []
        row.save(update_fields=[*changed, *stamps])
    return changed


def _to_json(value: Any) -> Any:
    """Convert a value for a JSON field: rows become ids, decimals numbers."""
    if isinstance(value, Decimal):
        return float(value)
    return getattr(value, "pk", value)


def mechanic_detail(mechanic: Mechanic) -> dict[str, Any]:
    return {"mechanic_id": mechanic.pk, "full_name": mechanic.full_name}


def assignment_detail(assignment: TicketMechanic) -> dict[str, Any]:
    return {
        **mechanic_detail(assignment.mechanic),
        "role": assignment.role,
        "minutes_worked": assignment.minutes_worked,
    }


def part_detail(line: TicketPart) -> dict[str, Any]:
    return {
        "part_id": line.part_id,
        "part_number": line.part_number,
        "part_name": line.part_name,
    }


def line_detail(line: TicketPart) -> dict[str, Any]:
    return {
        **part_detail(line),
        "quantity_used": line.quantity_used,
        "unit_cost_cents": line.unit_cost_cents,
        "total_cost_cents": line.total_cost_cents,
    }

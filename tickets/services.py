"""Every verb on a ticket. Locks go in one order: ticket, parts by id, mechanics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from customers.models import Customer, Vehicle
from customers.services import OwnerChanged, lock_vehicle
from inventory.models import Part
from inventory.services import return_stock, take_stock
from mechanic_shop.accounts.models import User
from mechanic_shop.core.errors import Conflict, InUse, NotFound
from mechanic_shop.core.locking import lock_row
from mechanic_shop.core.transactions import unit_of_work
from mechanics.models import Mechanic

from .models import (
    DEFAULT_MARKUP,
    DEFAULT_ROLE,
    LINES_OF_PART,
    ServiceTicket,
    TicketEvent,
    TicketEventKind,
    TicketMechanic,
    TicketPart,
)

Kind = TicketEventKind

#: No row has a higher id, and no database likes to be asked for one.
MAX_ID = 2**63 - 1
Status = ServiceTicket.Status


class TicketClosed(Conflict):
    """A completed or cancelled ticket takes no work and gives none back."""

    code = "ticket_closed"

    def __init__(self, ticket: ServiceTicket) -> None:
        super().__init__(f"This ticket is {ticket.get_status_display().lower()}.")


class IllegalMove(Conflict):
    """The ticket cannot go from its present status to the wanted one."""

    code = "illegal_move"

    def __init__(self, ticket: ServiceTicket, status: str) -> None:
        super().__init__(
            f"A ticket that is {ticket.get_status_display().lower()} cannot become"
            f" {Status(status).label.lower()}.",
            allowed=[str(move) for move in ticket.allowed_moves],
        )


class AlreadyAssigned(Conflict):
    code = "already_assigned"


class AlreadyInstalled(Conflict):
    code = "already_installed"


class MechanicInactive(Conflict):
    code = "mechanic_inactive"


class PartInactive(Conflict):
    code = "part_inactive"


@dataclass(frozen=True)
class MechanicEdit:
    """What a bulk edit did, by mechanic id."""

    added: list[int]
    removed: list[int]
    unchanged: list[int]


# --- The ticket itself ----------------------------------------------------------------


@unit_of_work
def open_ticket(
    *,
    vehicle: Vehicle,
    by: User,
    customer: Customer | None = None,
    status: str = Status.OPEN,
    **details: Any,
) -> ServiceTicket:
    """Open a ticket for a vehicle and its owner.

    :raises ValidationError: if the vehicle belongs to another customer
    :raises OwnerChanged: if the owner changed or was erased at this moment
    """
    vehicle = lock_vehicle(vehicle)
    _check_owner(vehicle, customer or vehicle.customer)
    ticket = ServiceTicket.objects.create(
        vehicle=vehicle, customer=vehicle.customer, status=status, **details
    )
    TicketEvent.objects.create(
        ticket=ticket,
        kind=Kind.OPENED,
        by=by,
        detail={"status": str(status)},
        visible_to_customer=True,
    )
    return ticket


@unit_of_work
def update_ticket(
    *, ticket: ServiceTicket, by: User, status: str | None = None, **changes: Any
) -> ServiceTicket:
    """Change fields of a ticket, move its status, or both, or nothing at all.

    :raises TicketClosed: if fields of a closed ticket would change
    :raises IllegalMove: if the ticket cannot go to ``status`` from where it is
    :raises ValidationError: if the vehicle would belong to another customer
    """
    ticket = lock_row(ticket)
    changes = {
        name: value for name, value in changes.items() if getattr(ticket, name) != value
    }
    # A ticket is edited while it is open: after reopening it, before closing it.
    if ticket.is_closed:
        _move_status(ticket, status, by)
        _change_fields(ticket, changes, by)
    else:
        _change_fields(ticket, changes, by)
        _move_status(ticket, status, by)
    return ticket


def move_ticket(*, ticket: ServiceTicket, status: str, by: User) -> ServiceTicket:
    """Move a ticket to another status; see ``update_ticket`` for what may go wrong."""
    return update_ticket(ticket=ticket, by=by, status=status)


@unit_of_work
def delete_ticket(*, ticket: ServiceTicket) -> None:
    """Delete a ticket on which nothing happened that the shop's books need.

    :raises InUse: if it has parts, minutes or stock movements; cancel it instead
    """
    ticket = lock_row(ticket)
    has_history = (
        ticket.ticket_parts.exists()
        or ticket.stock_movements.exists()
        or ticket.ticket_mechanics.filter(minutes_worked__gt=0).exists()
    )
    if has_history:
        raise InUse("This ticket has parts, stock movements or minutes. Cancel it.")
    ticket.delete()


@unit_of_work
def add_note(
    *, ticket: ServiceTicket, by: User, text: str, visible_to_customer: bool = False
) -> TicketEvent:
    """Write a note on a ticket, open or closed; customers see only visible ones."""
    return _record(
        ticket,
        Kind.NOTE,
        by,
        {"text": text},
        visible_to_customer=visible_to_customer,
    )


# --- Mechanics ------------------------------------------------------------------------


@unit_of_work
def assign_mechanic(
    *,
    ticket: ServiceTicket,
    mechanic: Mechanic,
    by: User,
    role: str = DEFAULT_ROLE,
    minutes_worked: int = 0,
) -> TicketMechanic:
    """Put a mechanic on a ticket.

    :raises TicketClosed: if the ticket is closed
    :raises AlreadyAssigned: if the mechanic is on it
    :raises MechanicInactive: if the mechanic no longer works here
    """
    ticket = lock_open(ticket)
    if ticket.ticket_mechanics.filter(mechanic=mechanic).exists():
        raise AlreadyAssigned(f"{mechanic} is on this ticket already.")
    if not Mechanic.objects.active().filter(pk=mechanic.pk).exists():
        raise MechanicInactive(f"{mechanic} is not active.")
    return _assign(ticket, mechanic, by, role, minutes_worked)


@unit_of_work
def remove_mechanic(*, ticket: ServiceTicket, mechanic: Mechanic, by: User) -> None:
    """Take a mechanic off a ticket; the event keeps the minutes.

    :raises TicketClosed: if the ticket is closed
    :raises NotFound: if the mechanic is not on it
    """
    ticket = lock_open(ticket)
    _unassign(ticket, [_assignment(ticket, mechanic.pk)], by)


@unit_of_work
def change_assignment(
    *, ticket: ServiceTicket, mechanic: Mechanic, by: User, **changes: Any
) -> TicketMechanic:
    """Change a mechanic's role or minutes on a ticket.

    :raises TicketClosed: if the ticket is closed
    :raises NotFound: if the mechanic is not on it
    """
    ticket = lock_open(ticket)
    assignment = _assignment(ticket, mechanic.pk)
    changed = _apply(assignment, changes)
    if changed:
        detail = {**_mechanic_detail(mechanic), "changes": changed}
        _record(ticket, Kind.ASSIGNMENT_CHANGED, by, detail)
    return assignment


@unit_of_work
def edit_mechanics(
    *,
    ticket: ServiceTicket,
    add_ids: Sequence[int],
    remove_ids: Sequence[int],
    by: User,
    role: str = DEFAULT_ROLE,
    minutes_worked: int = 0,
) -> MechanicEdit:
    """Add and remove several mechanics at once; what is asked for holds afterwards.

    :raises TicketClosed: if the ticket is closed
    :raises ValidationError: naming the ids, if one is unknown, in both lists, or an
        inactive mechanic to add; then nothing has changed
    """
    ticket = lock_open(ticket)
    ids = {pk for pk in (*add_ids, *remove_ids) if 0 < pk <= MAX_ID}
    mechanics = Mechanic.objects.in_bulk(ids)
    _check_edit(add_ids, remove_ids, mechanics)
    present = {
        assignment.mechanic_id: assignment
        for assignment in ticket.ticket_mechanics.select_related("mechanic")
    }
    to_add = sorted(set(add_ids) - present.keys())
    to_remove = sorted(set(remove_ids) & present.keys())
    _unassign(ticket, [present[pk] for pk in to_remove], by)
    assignments = TicketMechanic.objects.bulk_create(
        TicketMechanic(
            ticket=ticket,
            mechanic=mechanics[pk],
            role=role,
            minutes_worked=minutes_worked,
        )
        for pk in to_add
    )
    _record_each(ticket, Kind.MECHANIC_ASSIGNED, by, assignments)
    unchanged = {*add_ids, *remove_ids} - {*to_add, *to_remove}
    return MechanicEdit(to_add, to_remove, sorted(unchanged))


# --- Parts ----------------------------------------------------------------------------


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
    """Take a part off the shelf and put it on a ticket, at today's cost.

    ``line.part.quantity_in_stock`` is what this very movement left on the shelf.

    :raises TicketClosed: if the ticket is closed
    :raises AlreadyInstalled: if the part is on it
    :raises PartInactive: if the part is no longer kept
    :raises InsufficientStock: if fewer units are on hand
    """
    ticket = lock_open(ticket)
    if LINES_OF_PART.first(ticket.pk, part.pk):
        raise AlreadyInstalled(f"{part} is on this ticket already.")
    movement = take_stock(part=part, quantity=quantity_used, by=by, ticket=ticket)
    # The movement locked the row: from here to the commit nobody changes the part.
    part = movement.part
    if not part.is_active:
        raise PartInactive(f"{part} is no longer kept.")
    line = TicketPart.objects.create(
        ticket=ticket,
        part=part,
        quantity_used=quantity_used,
        unit_cost_cents=part.current_cost_cents,
        markup_percentage=markup_percentage,
        warranty_months=warranty_months,
        installed_by=installed_by,
    )
    assert movement.quantity_after == part.quantity_in_stock
    _record(ticket, Kind.PART_INSTALLED, by, _line_detail(line))
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
    ticket = lock_open(ticket)
    line = _line(ticket, part.pk)
    more = changes.get("quantity_used", line.quantity_used) - line.quantity_used
    if more > 0:
        take_stock(part=part, quantity=more, by=by, ticket=ticket)
    elif more < 0:
        return_stock(part=part, quantity=-more, by=by, ticket=ticket)
    changed = _apply(line, changes)
    if changed:
        detail = {**_part_detail(line.part), "changes": changed}
        _record(ticket, Kind.PART_CHANGED, by, detail)
    return line


@unit_of_work
def remove_part(*, ticket: ServiceTicket, part: Part, by: User) -> None:
    """Take a part off a ticket; its units go back on the shelf exactly once.

    :raises TicketClosed: if the ticket is closed
    :raises NotFound: if the part is not on it
    """
    ticket = lock_open(ticket)
    line = _line(ticket, part.pk)
    return_stock(part=part, quantity=line.quantity_used, by=by, ticket=ticket)
    _record(ticket, Kind.PART_REMOVED, by, _line_detail(line))
    line.delete()


# --- Locks ----------------------------------------------------------------------------


def lock_open(ticket: ServiceTicket) -> ServiceTicket:
    """:raises TicketClosed: if the ticket takes no more work"""
    ticket = lock_row(ticket)
    if ticket.is_closed:
        raise TicketClosed(ticket)
    return ticket


# --- Steps ----------------------------------------------------------------------------


def _check_owner(vehicle: Vehicle, customer: Customer) -> None:
    if vehicle.customer_id != customer.pk:
        raise ValidationError(
            {"customer_id": ["The vehicle belongs to another customer."]}
        )


def _change_fields(ticket: ServiceTicket, changes: dict[str, Any], by: User) -> None:
    if not changes:
        return
    if ticket.is_closed:
        raise TicketClosed(ticket)
    changed = _apply(ticket, changes)
    if {"vehicle", "customer"} & changes.keys():
        _check_owner(lock_vehicle(ticket.vehicle), ticket.customer)
    _record(ticket, Kind.FIELDS_CHANGED, by, {"changes": changed})


def _move_status(ticket: ServiceTicket, status: str | None, by: User) -> None:
    if status is None or status == ticket.status:
        return
    if status not in ticket.allowed_moves:
        raise IllegalMove(ticket, status)
    if ticket.is_closed and lock_vehicle(ticket.vehicle).customer != ticket.customer:
        raise OwnerChanged("The vehicle belongs to another customer by now.")
    before, ticket.status = ticket.status, Status(status)
    ticket.closed_at = timezone.now() if ticket.is_closed else None
    ticket.save(update_fields=["status", "closed_at", "updated_at"])
    detail = {"from": str(before), "to": str(status)}
    _record(ticket, Kind.STATUS_CHANGED, by, detail, visible_to_customer=True)
    if status == Status.CANCELLED:
        _return_all_parts(ticket, by)


def _return_all_parts(ticket: ServiceTicket, by: User) -> None:
    lines = ticket.ticket_parts.select_related("part").filter(returned_at=None)
    for line in lines.order_by("part_id"):
        return_stock(part=line.part, quantity=line.quantity_used, by=by, ticket=ticket)
        line.returned_at = ticket.closed_at
        line.save(update_fields=["returned_at"])
        _record(ticket, Kind.PART_RETURNED, by, _line_detail(line))


def _check_edit(
    add_ids: Iterable[int],
    remove_ids: Iterable[int],
    mechanics: dict[int, Mechanic],
) -> None:
    add, remove = set(add_ids), set(remove_ids)
    errors: dict[str, list[str]] = {}
    for field, ids in (("add_ids", add), ("remove_ids", remove)):
        if unknown := sorted(ids - mechanics.keys()):
            errors.setdefault(field, []).append(f"Unknown mechanics: {_list(unknown)}.")
    if both := sorted(add & remove):
        errors.setdefault("add_ids", []).append(f"In both lists: {_list(both)}.")
    inactive = sorted(
        pk for pk in add & mechanics.keys() if not mechanics[pk].is_active
    )
    if inactive:
        errors.setdefault("add_ids", []).append(
            f"Inactive mechanics: {_list(inactive)}."
        )
    if errors:
        raise ValidationError(errors)


def _list(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))


def _assign(
    ticket: ServiceTicket, mechanic: Mechanic, by: User, role: str, minutes: int
) -> TicketMechanic:
    assignment = TicketMechanic.objects.create(
        ticket=ticket, mechanic=mechanic, role=role, minutes_worked=minutes
    )
    _record(ticket, Kind.MECHANIC_ASSIGNED, by, _assignment_detail(assignment))
    return assignment


def _unassign(
    ticket: ServiceTicket, assignments: Sequence[TicketMechanic], by: User
) -> None:
    _record_each(ticket, Kind.MECHANIC_REMOVED, by, assignments)
    gone = [assignment.pk for assignment in assignments]
    ticket.ticket_mechanics.filter(pk__in=gone).delete()


def _assignment(ticket: ServiceTicket, mechanic_id: int) -> TicketMechanic:
    assignment = (
        ticket.ticket_mechanics.select_related("mechanic")
        .filter(mechanic_id=mechanic_id)
        .first()
    )
    if assignment is None:
        raise NotFound("This mechanic is not on the ticket.")
    return assignment


def _line(ticket: ServiceTicket, part_id: int) -> TicketPart:
    line = ticket.ticket_parts.select_related("part").filter(part_id=part_id).first()
    if line is None:
        raise NotFound("This part is not on the ticket.")
    return line


def _apply(row: Any, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Set and save the values that differ; tell the old and new ones for the event."""
    changed = {}
    for name, new in values.items():
        old = getattr(row, name)
        if old != new:
            setattr(row, name, new)
            changed[name] = {"old": _plain(old), "new": _plain(new)}
    if changed:
        stamps = ["updated_at"] if hasattr(row, "updated_at") else []
        row.save(update_fields=[*changed, *stamps])
    return changed


def _plain(value: Any) -> Any:
    """Make a value fit for JSON: rows become ids, decimals numbers."""
    if isinstance(value, Decimal):
        return float(value)
    return getattr(value, "pk", value)


# --- Events ---------------------------------------------------------------------------


def _record(
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


def _record_each(
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
        TicketEvent(ticket=ticket, kind=kind, by=by, detail=_assignment_detail(each))
        for each in assignments
    )


def _mechanic_detail(mechanic: Mechanic) -> dict[str, Any]:
    return {"mechanic_id": mechanic.pk, "full_name": mechanic.full_name}


def _assignment_detail(assignment: TicketMechanic) -> dict[str, Any]:
    return {
        **_mechanic_detail(assignment.mechanic),
        "role": assignment.role,
        "minutes_worked": assignment.minutes_worked,
    }


def _part_detail(part: Part) -> dict[str, Any]:
    return {
        "part_id": part.pk,
        "part_number": part.part_number,
        "part_name": part.name,
    }


def _line_detail(line: TicketPart) -> dict[str, Any]:
    return {
        **_part_detail(line.part),
        "quantity_used": line.quantity_used,
        "unit_cost_cents": line.unit_cost_cents,
        "total_cost_cents": line.total_cost_cents,
    }

"""Assign mechanics to a ticket, change and remove assignments, or edit several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from mechanic_shop.accounts.models import User
from mechanic_shop.core.errors import Conflict, NotFound
from mechanic_shop.core.transactions import unit_of_work
from mechanics.models import Mechanic
from tickets.models import DEFAULT_ROLE, ServiceTicket, TicketEventKind, TicketMechanic

from .events import (
    assignment_detail,
    mechanic_detail,
    record,
    record_each,
    set_changed,
)
from .locking import lock_open_ticket

Kind = TicketEventKind

#: The highest id; databases raise errors on higher numbers.
MAX_ID = 2**63 - 1


class AlreadyAssigned(Conflict):
    code = "already_assigned"


class MechanicInactive(Conflict):
    code = "mechanic_inactive"


@dataclass(frozen=True)
class MechanicEdit:
    """The result of a bulk edit, as ids of mechanics."""

    added: list[int]
    removed: list[int]
    unchanged: list[int]


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
    ticket = lock_open_ticket(ticket)
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
    ticket = lock_open_ticket(ticket)
    _unassign(ticket, [_assignment(ticket, mechanic.pk)], by)


@unit_of_work
def change_assignment(
    *, ticket: ServiceTicket, mechanic: Mechanic, by: User, **changes: Any
) -> TicketMechanic:
    """Change a mechanic's role or minutes on a ticket.

    :raises TicketClosed: if the ticket is closed
    :raises NotFound: if the mechanic is not on it
    """
    ticket = lock_open_ticket(ticket)
    assignment = _assignment(ticket, mechanic.pk)
    changed = set_changed(assignment, changes)
    if changed:
        detail = {**mechanic_detail(mechanic), "changes": changed}
        record(ticket, Kind.ASSIGNMENT_CHANGED, by, detail)
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
    """Add and remove several mechanics at once; repeating it changes nothing.

    :raises TicketClosed: if the ticket is closed
    :raises ValidationError: naming the ids, if one is unknown, in both lists, or an
        inactive mechanic to add; then nothing has changed
    """
    ticket = lock_open_ticket(ticket)
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
    record_each(ticket, Kind.MECHANIC_ASSIGNED, by, assignments)
    unchanged = {*add_ids, *remove_ids} - {*to_add, *to_remove}
    return MechanicEdit(to_add, to_remove, sorted(unchanged))


def _check_edit(
    add_ids: Iterable[int],
    remove_ids: Iterable[int],
    mechanics: dict[int, Mechanic],
) -> None:
    add, remove = set(add_ids), set(remove_ids)
    errors: dict[str, list[str]] = {}
    for field, ids in (("add_ids", add), ("remove_ids", remove)):
        if unknown := sorted(ids - mechanics.keys()):
            errors.setdefault(field, []).append(f"Unknown mechanics: {_join(unknown)}.")
    if both := sorted(add & remove):
        errors.setdefault("add_ids", []).append(f"In both lists: {_join(both)}.")
    inactive = sorted(
        pk for pk in add & mechanics.keys() if not mechanics[pk].is_active
    )
    if inactive:
        errors.setdefault("add_ids", []).append(
            f"Inactive mechanics: {_join(inactive)}."
        )
    if errors:
        raise ValidationError(errors)


def _join(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))


def _assign(
    ticket: ServiceTicket, mechanic: Mechanic, by: User, role: str, minutes: int
) -> TicketMechanic:
    assignment = TicketMechanic.objects.create(
        ticket=ticket, mechanic=mechanic, role=role, minutes_worked=minutes
    )
    record(ticket, Kind.MECHANIC_ASSIGNED, by, assignment_detail(assignment))
    return assignment


def _unassign(
    ticket: ServiceTicket, assignments: Sequence[TicketMechanic], by: User
) -> None:
    record_each(ticket, Kind.MECHANIC_REMOVED, by, assignments)
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

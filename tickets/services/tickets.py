"""Open, change and delete tickets, and change their status."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from customers.models import Customer, Vehicle
from customers.services import OwnerChanged, lock_vehicle
from mechanic_shop.accounts.models import User
from mechanic_shop.core.errors import Conflict, InUse
from mechanic_shop.core.locking import lock_row
from mechanic_shop.core.transactions import unit_of_work
from tickets.models import (
    VEHICLE_COPIES,
    ServiceTicket,
    TicketEvent,
    TicketEventKind,
)
from tickets.signals import ticket_closing, ticket_deleting, ticket_reopening

from .events import record, set_changed
from .locking import TicketClosed
from .parts import return_all_parts

Kind = TicketEventKind
Status = ServiceTicket.Status


class IllegalMove(Conflict):
    """The ticket's present status does not allow this change."""

    code = "illegal_move"

    def __init__(self, ticket: ServiceTicket, status: str) -> None:
        super().__init__(
            f"A ticket that is {ticket.get_status_display().lower()} cannot become"
            f" {Status(status).label.lower()}.",
            allowed=[str(move) for move in ticket.allowed_moves],
        )


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
    ticket = ServiceTicket(
        vehicle=vehicle, customer=vehicle.customer, status=status, **details
    )
    ticket.copy_vehicle(vehicle)
    ticket.save(force_insert=True)
    _raise_mileage(vehicle, ticket.odometer_miles)
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
    """Change fields of a ticket, its status, or both, in one transaction.

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
    """Change a ticket's status; it raises what ``update_ticket`` raises."""
    return update_ticket(ticket=ticket, by=by, status=status)


@unit_of_work
def delete_ticket(*, ticket: ServiceTicket) -> None:
    """Delete a ticket without parts, minutes and stock movements.

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
    ticket_deleting.send(ServiceTicket, ticket=ticket)
    ticket.delete()


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
    if {"vehicle", "customer", "odometer_miles"} & changes.keys():
        vehicle = lock_vehicle(changes.get("vehicle", ticket.vehicle))
        _check_owner(vehicle, changes.get("customer", ticket.customer))
        ticket.copy_vehicle(vehicle)
        ticket.save(update_fields=VEHICLE_COPIES)
        _raise_mileage(vehicle, changes.get("odometer_miles", ticket.odometer_miles))
    changed = set_changed(ticket, changes)
    record(ticket, Kind.FIELDS_CHANGED, by, {"changes": changed})


def _raise_mileage(vehicle: Vehicle, odometer_miles: int) -> None:
    """Keep the highest mileage that is known of a locked vehicle."""
    if vehicle.mileage is None or vehicle.mileage < odometer_miles:
        vehicle.mileage = odometer_miles
        vehicle.save(update_fields=["mileage", "updated_at"])


def _prepare_reopening(ticket: ServiceTicket, by: User) -> None:
    """Check that a ticket may be reopened, and take its vehicle back in.

    :raises OwnerChanged: if the vehicle was sold meanwhile
    """
    vehicle = lock_vehicle(ticket.vehicle)
    if vehicle.customer != ticket.customer:
        raise OwnerChanged("The vehicle belongs to another customer by now.")
    ticket_reopening.send(ServiceTicket, ticket=ticket, by=by)
    ticket.copy_vehicle(vehicle)
    ticket.handed_over_at = None
    ticket.save(update_fields=[*VEHICLE_COPIES, "handed_over_at"])


def _move_status(ticket: ServiceTicket, status: str | None, by: User) -> None:
    if status is None or status == ticket.status:
        return
    if status not in ticket.allowed_moves:
        raise IllegalMove(ticket, status)
    if ticket.is_closed:
        _prepare_reopening(ticket, by)
    elif status in ServiceTicket.CLOSED:
        ticket_closing.send(ServiceTicket, ticket=ticket, status=Status(status), by=by)
    before, ticket.status = ticket.status, Status(status)
    ticket.closed_at = timezone.now() if ticket.is_closed else None
    ticket.save(update_fields=["status", "closed_at", "updated_at"])
    detail = {"from": str(before), "to": str(status)}
    record(ticket, Kind.STATUS_CHANGED, by, detail, visible_to_customer=True)
    if status == Status.CANCELLED:
        return_all_parts(ticket, by)

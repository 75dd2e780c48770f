"""Hints about tickets that are probably opened or changed by mistake."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Max

from customers.models import Vehicle

from .models import ServiceTicket


def hints_about(
    ticket: ServiceTicket, changed: Collection[str], *, is_new: bool
) -> dict[str, str]:
    """Return hints, by field, about a ticket that is about to be saved."""
    hints = hint_at_open_ticket(ticket.vehicle) if is_new else {}
    return hints | hint_at_odometer(ticket) if "odometer_miles" in changed else hints


def hint_at_open_ticket(vehicle: Vehicle) -> dict[str, str]:
    """Return a hint, by field, at an open ticket of the vehicle."""
    other = vehicle.service_tickets.still_open().order_by("-pk").first()
    if other is None:
        return {}
    status = other.get_status_display().lower()
    return {"vehicle": f"{other} for this vehicle is {status}."}


def hint_at_odometer(ticket: ServiceTicket) -> dict[str, str]:
    """Return a hint, by field, at an odometer below what the vehicle had before."""
    others = ticket.vehicle.service_tickets.exclude(pk=ticket.pk)
    earlier = others.aggregate(most=Max("odometer_miles"))["most"]
    known = max(earlier or 0, ticket.vehicle.mileage or 0)
    if ticket.odometer_miles >= known:
        return {}
    return {"odometer_miles": f"This vehicle had {known:,} miles before."}

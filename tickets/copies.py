"""Bring copies up to date that servers of the previous release did not write."""

from __future__ import annotations

from django.apps import apps

from mechanic_shop.core.locking import lock_row
from mechanic_shop.core.registry import copy_refreshers
from mechanic_shop.core.transactions import retry_on_deadlock, unit_of_work

from .backfill import fill_part_copies, fill_vehicle_copies
from .models import VEHICLE_COPIES, ServiceTicket


@copy_refreshers.add
def refresh_vehicle_copies() -> int:
    filled = fill_vehicle_copies(apps)
    stale = [_follow(ticket) for ticket in ServiceTicket.objects.unlike_their_vehicle()]
    erased = ServiceTicket.objects.naming_the_erased().values_list("pk", flat=True)
    blanked = ServiceTicket.objects.filter(pk__in=list(erased)).blank_identity()
    return filled + len(stale) + blanked


@copy_refreshers.add
def take_back_reopened_tickets() -> int:
    """The previous release reopens tickets without clearing ``handed_over_at``."""
    return (
        ServiceTicket.objects.exclude(handed_over_at=None)
        .exclude(status=ServiceTicket.Status.COMPLETED)
        .update(handed_over_at=None)
    )


@copy_refreshers.add
def refresh_part_copies() -> int:
    return fill_part_copies(apps)


@retry_on_deadlock
@unit_of_work
def _follow(ticket: ServiceTicket) -> None:
    ticket = lock_row(ticket)
    if not ticket.is_closed:
        ticket.copy_vehicle(lock_row(ticket.vehicle))
        ticket.save(update_fields=VEHICLE_COPIES)

"""Keep what tickets have copied from vehicles in step, and blank it on erasure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from customers.models import Customer, Vehicle
from customers.signals import customer_erasing
from tickets.models import VEHICLE_COPIES, ServiceTicket


@receiver(post_save, sender=Vehicle)
def update_open_tickets(
    instance: Vehicle,
    created: bool,
    update_fields: Collection[str] | None = None,
    **kwargs: Any,
) -> None:
    """Let open tickets follow their vehicle; closed ones keep it as it was.

    Saving is what the API, the back office, imports and the shell have in common. It
    has locked the vehicle, so a ticket that is being opened for it is there already,
    or waits and then reads the new values.
    """
    changed = {
        copy: getattr(instance, name)
        for copy, name in VEHICLE_COPIES.items()
        if update_fields is None or name in update_fields
    }
    if changed and not created:
        instance.service_tickets.still_open().update(**changed)


@receiver(customer_erasing)
def blank_copies(customer: Customer, **kwargs: Any) -> None:
    """Blank plates and VINs where the vehicles' history loses them, too.

    Two statements, because MySQL would read the whole table for an OR.
    """
    of_vehicles = ServiceTicket.objects.filter(
        vehicle__in=list(customer.vehicles.values_list("pk", flat=True))
    )
    for tickets in (customer.service_tickets.all(), of_vehicles):
        tickets.blank_identity()

"""Fill columns of tickets that rows were written without.

The migrations call this for the rows of before; ``manage.py refresh_copies`` for those
that servers of the previous release have written during an update. So it takes the
models from ``apps``, and imports none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from mechanic_shop.core.row_batches import row_batches


def fill_vehicle_copies(apps: Any, using: str = DEFAULT_DB_ALIAS) -> int:
    """Copy the vehicle to each ticket that has no copy, and return their number.

    An open ticket gets the present vehicle. A closed one gets the vehicle as of
    ``closed_at``, by the history of changes. Where that does not go back so far, it
    gets the present one, but plate and VIN only if the owner is still the same.
    """
    tickets = apps.get_model("tickets", "ServiceTicket").objects.using(using)
    without = tickets.filter(vehicle_year=None)
    copies = _vehicle_copies(apps)
    return sum(
        without.filter(pk__range=pks).update(**copies) for pks in _batches(without)
    )


def fill_part_copies(apps: Any, using: str = DEFAULT_DB_ALIAS) -> int:
    """Copy number and name of the part to each line without, and return their number.

    They are those as of ``installed_at``, by the history of changes; where that does
    not go back so far, the present ones.
    """
    lines = apps.get_model("tickets", "TicketPart").objects.using(using)
    without = lines.filter(part_number="")
    copies = _part_copies(apps)
    return sum(
        without.filter(pk__range=pks).update(**copies) for pks in _batches(without)
    )


def _part_copies(apps: Any) -> dict[str, Any]:
    """Return what each column of the copy is set to."""
    present = apps.get_model("inventory", "Part").objects.filter(pk=OuterRef("part_id"))
    history = apps.get_model("inventory", "HistoricalPart").objects
    as_of = history.filter(
        id=OuterRef("part_id"), history_date__lte=OuterRef("installed_at")
    ).order_by("-history_date", "-history_id")
    return {
        copy: Coalesce(
            Subquery(as_of.values(name)[:1]), Subquery(present.values(name)[:1])
        )
        for copy, name in {"part_name": "name", "part_number": "part_number"}.items()
    }


def hand_over_completed_tickets(apps: Any, using: str = DEFAULT_DB_ALIAS) -> int:
    """Let what was completed before now count as handed over, and return the number.

    Otherwise the work board would begin with every vehicle that the shop ever finished.
    """
    tickets = apps.get_model("tickets", "ServiceTicket").objects.using(using)
    finished = tickets.filter(
        status="completed", handed_over_at=None, closed_at__lt=timezone.now()
    )
    return sum(
        finished.filter(pk__range=pks).update(handed_over_at=F("closed_at"))
        for pks in _batches(finished)
    )


def _batches(rows: QuerySet[Any]) -> Iterator[tuple[int, int]]:
    """Return the first and the last pk of each batch of rows."""
    return ((batch[0].pk, batch[-1].pk) for batch in row_batches(rows.only("pk")))


def _vehicle_copies(apps: Any) -> dict[str, Any]:
    """Return what each column of the copy is set to."""
    vehicles = apps.get_model("customers", "Vehicle").objects
    present = vehicles.filter(pk=OuterRef("vehicle_id"))
    still_theirs = present.filter(customer_id=OuterRef("customer_id"))
    history = apps.get_model("customers", "HistoricalVehicle").objects
    as_of = history.filter(
        id=OuterRef("vehicle_id"),
        customer_id=OuterRef("customer_id"),
        history_date__lte=OuterRef("closed_at"),
    ).order_by("-history_date", "-history_id")

    def first_known(name: str, otherwise: Any) -> Case:
        recorded = When(Exists(as_of), then=Subquery(as_of.values(name)[:1]))
        return Case(recorded, default=Subquery(otherwise.values(name)[:1]))

    plate = Coalesce(first_known("license_plate", still_theirs), Value(""))
    return {
        "vehicle_year": first_known("year", present),
        "vehicle_make": first_known("make", present),
        "vehicle_model": first_known("model", present),
        "vehicle_license_plate": plate,
        "vehicle_vin": first_known("vin", still_theirs),
    }

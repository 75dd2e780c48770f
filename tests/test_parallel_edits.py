"""Two people change different fields of one row at once: both changes stay."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from customers.models import Vehicle
from customers.tests.factories import VehicleFactory
from mechanic_shop.core.locking import save_changes

pytestmark = pytest.mark.django_db(transaction=True)

CHANGES: list[dict[str, Any]] = [
    {"color": "Red"},
    {"license_plate": "NEW-1"},
    {"mileage": 50_000},
    {"model": "Civic"},
]

Save = Callable[[Vehicle, dict[str, Any]], object]


def save_everything(vehicle: Vehicle, changes: dict[str, Any]) -> None:
    """Save the row as it was read: what ``save_changes`` is there to prevent."""
    for name, value in changes.items():
        setattr(vehicle, name, value)
    vehicle.save()


def edit_at_once(save: Save) -> dict[str, Any]:
    """Let everybody read, then everybody save; return the fields that were meant."""
    pk = VehicleFactory.create(color="Blue").pk
    everyone_has_read = Barrier(len(CHANGES))

    def edit(changes: dict[str, Any]) -> None:
        vehicle = Vehicle.objects.get(pk=pk)
        everyone_has_read.wait()
        try:
            save(vehicle, changes)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(CHANGES)) as pool:
        list(pool.map(edit, CHANGES))
    meant = {name for changes in CHANGES for name in changes}
    return dict(Vehicle.objects.filter(pk=pk).values(*meant)[0])


class TestParallelEdits:
    def test_all_stay(self) -> None:
        expected = {name: new for changes in CHANGES for name, new in changes.items()}

        assert edit_at_once(save_changes) == expected

    def test_would_be_lost_by_saving_whole_rows(self) -> None:
        expected = {name: new for changes in CHANGES for name, new in changes.items()}

        assert edit_at_once(save_everything) != expected

"""The odometer of a ticket raises the mileage of its vehicle, and never lowers it."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from customers.models import Vehicle
from customers.tests.factories import VehicleFactory
from mechanic_shop.accounts.models import User
from tickets.services import open_ticket, update_ticket

pytestmark = pytest.mark.django_db


def open_at(vehicle: Vehicle, odometer: int, by: User) -> int | None:
    """Open a ticket and return the mileage of its vehicle afterwards."""
    open_ticket(
        vehicle=vehicle, by=by, problem_description="Hums.", odometer_miles=odometer
    )
    return Vehicle.objects.get(pk=vehicle.pk).mileage


class TestMileage:
    @pytest.mark.parametrize(
        ("known", "odometer", "mileage"),
        [(None, 45_000, 45_000), (44_000, 45_000, 45_000), (46_000, 45_000, 46_000)],
    )
    def test_new_ticket_raises_the_mileage(
        self, owner: User, known: int | None, odometer: int, mileage: int
    ) -> None:
        vehicle = VehicleFactory.create(mileage=known)

        assert open_at(vehicle, odometer, owner) == mileage

    @pytest.mark.parametrize(("odometer", "mileage"), [(46_000, 46_000), (9, 45_000)])
    def test_changed_odometer_raises_the_mileage(
        self, shop: APIClient, owner: User, odometer: int, mileage: int
    ) -> None:
        vehicle = VehicleFactory.create()
        open_at(vehicle, 45_000, owner)
        ticket = vehicle.service_tickets.get()

        answer = shop.patch(
            f"/api/service-tickets/{ticket.pk}", {"odometer_miles": odometer}
        )

        assert answer.json()["odometer_miles"] == odometer
        vehicle.refresh_from_db()
        assert vehicle.mileage == mileage

    def test_vehicle_that_a_ticket_moves_to_is_raised(self, owner: User) -> None:
        vehicle = VehicleFactory.create()
        another = VehicleFactory.create(customer=vehicle.customer)
        open_at(vehicle, 45_000, owner)

        update_ticket(ticket=vehicle.service_tickets.get(), by=owner, vehicle=another)

        another.refresh_from_db()
        assert another.mileage == 45_000

    def test_history_tells_who_raised_it(self, shop: APIClient, owner: User) -> None:
        vehicle = VehicleFactory.create()
        body = {
            "vehicle_id": vehicle.pk,
            "problem_description": "Hums.",
            "odometer_miles": 45_000,
        }

        shop.post("/api/service-tickets", body)

        latest = vehicle.history.first()
        assert (latest.mileage, latest.history_user) == (45_000, owner)

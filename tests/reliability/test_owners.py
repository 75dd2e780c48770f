"""Vehicles change hands while tickets are opened for them and moved to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from secrets import randbelow

import pytest

from .load import Answer, at_once, codes, counted
from .shop import Shop

VEHICLES = 8
CANCEL = {"status": "cancelled"}
CAR = {"make": "Fiat", "model": "Panda", "year": 2003}

Request = Callable[[], Answer]


class Exchange:
    """Two owners with four vehicles each, and a ticket that waits for each vehicle.

    The tickets are of the same two owners, but for vehicles that nobody hands over.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._patch, self._post = shop.owner.patch, shop.owner.post
        self._ann, self._bob = shop.new_customer(), shop.new_customer()
        self._owners = [self._ann, self._bob] * (VEHICLES // 2)
        self._homes = [shop.new_vehicle(owner) for owner in self._owners]
        self.vehicles = [shop.new_vehicle(owner) for owner in self._owners]
        self.tickets = [shop.new_ticket(home) for home in self._homes]

    def everything_at_once(self) -> list[Answer]:
        """Hand over, open and move, for all vehicles at the same moment."""
        requests = [request for i in range(VEHICLES) for request in self._of_vehicle(i)]
        return at_once(len(requests), lambda i: requests[i]())

    def open_tickets(self) -> list[tuple[int, int, int]]:
        """Return ticket, customer, and the owner of the vehicle, by what is there."""
        owners = {vehicle: self._owner_of(vehicle) for vehicle in self.vehicles}
        return [
            (row["ticket_id"], row["customer_id"], owners[row["vehicle_id"]])
            for row in self._tickets()
            if row["vehicle_id"] in owners and row["closed_at"] is None
        ]

    def go_back(self) -> None:
        """Free the vehicles, and look who owns what by now."""
        for ticket, _, _ in self.open_tickets():
            self._patch(f"/service-tickets/{ticket}", CANCEL).expect(200)
        self._owners = [self._owner_of(vehicle) for vehicle in self.vehicles]
        self._homes = [self._shop.new_vehicle(owner) for owner in self._owners]
        self.tickets = [self._shop.new_ticket(home) for home in self._homes]

    def _of_vehicle(self, i: int) -> Iterable[Request]:
        vehicle, owner = self.vehicles[i], self._owners[i]
        other = self._bob if owner == self._ann else self._ann
        path, body = f"/vehicles/{vehicle}", {"customer_id": other}
        ticket = {
            "vehicle_id": vehicle,
            "problem_description": "It rattles",
            "odometer_miles": 90_000,
        }
        moved = f"/service-tickets/{self.tickets[i]}"
        return (
            lambda: self._patch(path, body),
            lambda: self._post("/service-tickets", ticket),
            lambda: self._patch(moved, {"vehicle_id": vehicle}),
        )

    def _tickets(self) -> Iterable[dict[str, int]]:
        for owner in (self._ann, self._bob):
            path = f"/customers/{owner}/service-tickets"
            yield from self._shop.rows(path, "service_tickets")

    def _owner_of(self, vehicle: int) -> int:
        answer = self._shop.owner.get(f"/vehicles/{vehicle}", retry_stale=True)
        return int(answer.expect(200)["customer_id"])


class TestOpenTickets:
    @pytest.mark.race
    def test_belong_to_the_owner_of_their_vehicle(self, shop: Shop) -> None:
        exchange = Exchange(shop)

        for _ in range(2):
            answers = exchange.everything_at_once()

            opened = exchange.open_tickets()
            assert opened
            assert [row for row in opened if row[1] != row[2]] == []
            assert counted(answers).keys() <= {200, 201, 400, 409}
            assert codes(answers) <= {"in_use", "owner_changed", "invalid"}
            exchange.go_back()
        shop.assert_invariants()


class Farewell:
    """Customers who are erased while others write down their vehicles."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._customers = [shop.new_customer() for _ in range(VEHICLES)]
        self._vehicles = [shop.new_vehicle(owner) for owner in self._customers]
        self._vins = [_new_vin() for _ in range(3 * VEHICLES)]
        for vehicle in self._vehicles:
            ticket = shop.new_ticket(vehicle)
            shop.owner.patch(f"/service-tickets/{ticket}", CANCEL).expect(200)

    def everything_at_once(self) -> list[Answer]:
        """Erase, add vehicles and change plates, for all at the same moment."""
        requests = [request for i in range(VEHICLES) for request in self._of(i)]
        return at_once(len(requests), lambda i: requests[i]())

    def _of(self, i: int) -> Iterable[Request]:
        customer, owner = self._customers[i], self._shop.owner
        path, vehicle = f"/customers/{customer}/vehicles", self._vehicles[i]
        first, second, third = self._vins[3 * i : 3 * i + 3]
        return (
            lambda: owner.post(path, {**CAR, "vin": first}),
            lambda: owner.delete(f"/customers/{customer}"),
            lambda: owner.patch(f"/vehicles/{vehicle}", {"vin": second}),
            lambda: owner.post(path, {**CAR, "vin": third}),
        )

    def blocked_vins(self) -> list[str]:
        """Return the VINs that no other customer's vehicle can have."""
        path = f"/customers/{self._shop.new_customer()}/vehicles"
        answers = {
            vin: self._shop.owner.post(path, {**CAR, "vin": vin}) for vin in self._vins
        }
        return [vin for vin, answer in answers.items() if answer.status != 201]


def _new_vin() -> str:
    return f"{randbelow(10**17):017d}"


class TestErasedCustomers:
    @pytest.mark.race
    def test_no_vin_is_left_of_an_erased_customer(self, shop: Shop) -> None:
        for _ in range(3):
            farewell = Farewell(shop)

            answers = farewell.everything_at_once()

            assert farewell.blocked_vins() == []
            assert counted(answers)[204] == VEHICLES
            assert counted(answers).keys() <= {200, 201, 204, 404, 409}
            assert codes(answers) <= {"owner_changed", "not_found"}
            shop.assert_invariants()

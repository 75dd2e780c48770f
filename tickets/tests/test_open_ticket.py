from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from customers.tests.factories import CustomerFactory, VehicleFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.tests.factories import user_in
from tickets.models import ServiceTicket, TicketEvent

pytestmark = pytest.mark.django_db

URL = "/api/service-tickets"


def body(vehicle_id: int, **changes: object) -> dict[str, object]:
    return {
        "vehicle_id": vehicle_id,
        "problem_description": "Engine making strange noise",
        "odometer_miles": 45_000,
        **changes,
    }


class TestOpenTicket:
    def test_needs_only_vehicle_problem_and_odometer(self, shop: APIClient) -> None:
        vehicle = VehicleFactory.create()

        answer = shop.post(URL, body(vehicle.pk))

        assert answer.status_code == 201
        ticket = answer.json()
        assert ticket["customer_id"] == vehicle.customer_id
        assert ticket["status"] == "open"
        assert ticket["priority"] == 3
        assert ticket["opened_at"].endswith("Z")
        assert ticket["closed_at"] is None
        assert ticket["parts_total_cents"] == 0
        assert ticket["ticket_mechanics"] == ticket["ticket_parts"] == []
        assert ticket["vehicle"]["make"] == vehicle.make
        assert ticket["customer"]["last_name"] == vehicle.customer.last_name

    def test_writes_who_opened_it(self, shop: APIClient, owner: User) -> None:
        ticket_id = shop.post(URL, body(VehicleFactory.create().pk)).json()["ticket_id"]

        event = TicketEvent.objects.get(ticket_id=ticket_id)
        assert event.kind == TicketEvent.Kind.OPENED
        assert event.by == owner

    @pytest.mark.parametrize("status", ["open", "in_progress", "waiting"])
    def test_lets_staff_start_with_work(self, shop: APIClient, status: str) -> None:
        answer = shop.post(URL, body(VehicleFactory.create().pk, status=status))

        assert answer.status_code == 201
        assert answer.json()["status"] == status

    @pytest.mark.parametrize("status", ["completed", "cancelled", "done", None, 1])
    def test_does_not_start_closed_or_unknown(
        self, shop: APIClient, status: object
    ) -> None:
        answer = shop.post(URL, body(VehicleFactory.create().pk, status=status))

        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == ["status"]

    def test_refuses_a_vehicle_of_another_customer(self, shop: APIClient) -> None:
        stranger = CustomerFactory.create()

        answer = shop.post(
            URL, body(VehicleFactory.create().pk, customer_id=stranger.pk)
        )

        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == ["customer_id"]
        assert not ServiceTicket.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("vehicle_id", 2.9),
            ("vehicle_id", True),
            ("vehicle_id", "x"),
            ("vehicle_id", None),
            ("vehicle_id", 10**30),
            ("odometer_miles", -1),
            ("odometer_miles", 2_000_001),
            ("odometer_miles", 10**30),
            ("priority", 0),
            ("priority", 6),
            ("priority", 2.9),
            ("problem_description", ""),
            ("problem_description", "x" * 5001),
            ("problem_description", "\0"),
            ("opened_at", "2020-01-01T00:00:00Z"),
            ("closed_at", "2020-01-01T00:00:00Z"),
            ("is_paid", True),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, shop: APIClient, field: str, value: object
    ) -> None:
        answer = shop.post(URL, body(VehicleFactory.create().pk) | {field: value})

        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == [field]

    def test_lets_customers_bring_their_own_car(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        vehicle = VehicleFactory.create()
        assert vehicle.customer.user is not None

        answer = client_of(vehicle.customer.user).post(
            URL, body(vehicle.pk, customer_id=vehicle.customer.pk, status="open")
        )

        assert answer.status_code == 201

    def test_does_not_know_a_strangers_car(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        customer = CustomerFactory.create()
        assert customer.user is not None

        answer = client_of(customer.user).post(URL, body(VehicleFactory.create().pk))

        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == ["vehicle_id"]

    def test_does_not_let_customers_start_the_work(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        vehicle = VehicleFactory.create()
        assert vehicle.customer.user is not None

        answer = client_of(vehicle.customer.user).post(
            URL, body(vehicle.pk, status="in_progress")
        )

        assert answer.status_code == 403
        assert not ServiceTicket.objects.exists()

    @pytest.mark.parametrize(
        ("group", "status_code"), [(TECHNICIAN, 403), (SERVICE_ADVISOR, 201)]
    )
    def test_is_the_service_advisors_verb(
        self, client_of: Callable[[User], APIClient], group: str, status_code: int
    ) -> None:
        client = client_of(user_in(group))

        answer = client.post(URL, body(VehicleFactory.create().pk))

        assert answer.status_code == status_code

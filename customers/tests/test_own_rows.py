"""Customers and their own rows: what they find, and what stays out of reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.response import Response
from rest_framework.test import APIClient

from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.accounts.tests.factories import user_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def vehicle(db: None) -> Vehicle:
    return VehicleFactory.create()


def login_of(customer: Customer) -> User:
    assert customer.user is not None
    return customer.user


def send(
    client: APIClient, method: str, path: str, body: dict[str, Any], vehicle: Vehicle
) -> Response:
    url = "/api/" + path.format(c=vehicle.customer_id, v=vehicle.pk)
    answer: Response = getattr(client, method)(url, body)
    return answer


class TestOwnRows:
    def test_lists_hold_only_the_callers_rows(
        self, vehicle: Vehicle, client_of: Callable[[User], APIClient]
    ) -> None:
        client = client_of(login_of(vehicle.customer))
        other = VehicleFactory.create(license_plate="OTHER")

        customers = client.get("/api/customers").data
        vehicles = client.get("/api/vehicles").data

        assert [row["customer_id"] for row in customers["customers"]] == [
            vehicle.customer_id
        ]
        assert customers["pagination"]["total_customers"] == 1
        assert [row["vehicle_id"] for row in vehicles["vehicles"]] == [vehicle.pk]
        for query in ({"customer_id": other.customer_id}, {"license_plate": "OTHER"}):
            assert client.get("/api/vehicles", query).data["vehicles"] == []

    @pytest.mark.parametrize(
        ("foreign", "missing"),
        [
            ("customers/{c}", "customers/0"),
            ("customers/{c}/vehicles", "customers/0/vehicles"),
            ("customers/{c}/vehicles/{v}", "customers/0/vehicles/0"),
            ("vehicles/{v}", "vehicles/0"),
            ("customers/{c}/service-tickets", "customers/0/service-tickets"),
        ],
    )
    def test_row_of_another_looks_like_a_missing_one(
        self,
        foreign: str,
        missing: str,
        vehicle: Vehicle,
        client_of: Callable[[User], APIClient],
    ) -> None:
        client = client_of(login_of(CustomerFactory.create()))

        answers = [
            send(client, "get", path, {}, vehicle) for path in (foreign, missing)
        ]

        assert [answer.status_code for answer in answers] == [404, 404]
        for answer in answers:
            answer.data.pop("request_id")
        assert answers[0].data == answers[1].data

    def test_customer_cannot_give_a_vehicle_away(
        self, vehicle: Vehicle, client_of: Callable[[User], APIClient]
    ) -> None:
        other, before = CustomerFactory.create(), vehicle.customer
        client = client_of(login_of(vehicle.customer))

        answer = client.patch(
            f"/api/vehicles/{vehicle.pk}", {"customer_id": other.pk, "color": "red"}
        )

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"customer_id"}
        vehicle.refresh_from_db()
        assert (vehicle.customer, vehicle.color) == (before, "")

    def test_customer_may_send_the_present_owner_back(
        self, vehicle: Vehicle, client_of: Callable[[User], APIClient]
    ) -> None:
        client = client_of(login_of(vehicle.customer))
        body = {"customer_id": vehicle.customer_id, "color": "red"}

        answer = client.patch(f"/api/vehicles/{vehicle.pk}", body)

        assert answer.status_code == 200
        assert answer.data["color"] == "red"

    def test_search_finds_only_the_callers_rows(
        self, vehicle: Vehicle, client_of: Callable[[User], APIClient]
    ) -> None:
        other = CustomerFactory.create(phone="555-9999")
        client = client_of(login_of(vehicle.customer))

        answer = client.get("/api/customers", {"search": other.phone})

        assert answer.data["customers"] == []


class TestStaffWhoAreCustomers:
    def test_staff_may_change_their_own_record_only(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        user = user_in(TECHNICIAN)
        own = CustomerFactory.create(user=user, email=user.email)
        other = CustomerFactory.create()
        client = client_of(user)

        changes = [
            client.patch(f"/api/customers/{customer.pk}", {"city": "Elko"})
            for customer in (own, other)
        ]

        assert [answer.status_code for answer in changes] == [200, 403]
        other.refresh_from_db()
        assert other.city == ""

    def test_staff_keep_their_login_without_a_record(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        user = user_in(TECHNICIAN)
        own = CustomerFactory.create(user=user, email=user.email)
        client = client_of(user)

        assert client.delete(f"/api/customers/{own.pk}").status_code == 204

        assert client.get("/api/auth/me").data["customer_id"] is None

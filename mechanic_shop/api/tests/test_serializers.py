"""Bodies: what is left out stays, what is read-only stands still, the rest is named."""

from __future__ import annotations

import re
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.api.serializers import StrictSerializer
from mechanics.tests.factories import MechanicFactory
from tickets.models import TicketMechanic
from tickets.services import install_part
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

RESOURCES = ["customer", "vehicle", "shop_vehicle", "mechanic", "ticket", "part"]
METHODS = ["put", "patch"]
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture
def paths(owner: User) -> dict[str, str]:
    """One object of each resource, none of them bare."""
    vehicle = VehicleFactory.create(vin="1HGCM82633A004352")
    ticket = TicketFactory.create(vehicle=vehicle)
    mechanic, part = MechanicFactory.create(), PartFactory.create()
    TicketMechanic.objects.create(ticket=ticket, mechanic=mechanic)
    install_part(ticket=ticket, part=part, quantity_used=1, by=owner)
    return {
        "customer": f"/api/customers/{vehicle.customer_id}",
        "vehicle": f"/api/customers/{vehicle.customer_id}/vehicles/{vehicle.pk}",
        "shop_vehicle": f"/api/vehicles/{vehicle.pk}",
        "mechanic": f"/api/mechanics/{mechanic.pk}",
        "ticket": f"/api/service-tickets/{ticket.pk}",
        "part": f"/api/inventory/{part.pk}",
    }


def without_clock(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "updated_at"}


class TestUpdate:
    @pytest.mark.parametrize(
        ("resource", "method"),
        [
            (resource, method)
            for resource in RESOURCES
            for method in METHODS
            if (resource, method) != ("shop_vehicle", "put")
        ],
    )
    def test_takes_back_what_was_read_and_changes_nothing(
        self, shop: APIClient, paths: dict[str, str], resource: str, method: str
    ) -> None:
        read = shop.get(paths[resource]).json()

        response = getattr(shop, method)(paths[resource], read)

        assert response.status_code == 200
        assert without_clock(response.json()) == without_clock(read)

    @pytest.mark.parametrize("method", METHODS)
    def test_keeps_what_is_left_out(
        self, shop: APIClient, paths: dict[str, str], method: str
    ) -> None:
        before = shop.get(paths["customer"]).json()

        response = getattr(shop, method)(paths["customer"], {"city": "Lyon"})

        assert response.status_code == 200
        assert without_clock(response.json()) == {
            **without_clock(before),
            "city": "Lyon",
        }

    @pytest.mark.parametrize(
        ("resource", "name", "value"),
        [
            ("customer", "customer_id", 0),
            ("customer", "created_at", "2001-01-01T00:00:00Z"),
            ("customer", "updated_at", None),
            ("vehicle", "vehicle_id", 0),
            ("vehicle", "customer_id", 0),
            ("shop_vehicle", "vehicle_id", "0"),
            ("mechanic", "mechanic_id", 10**30),
            ("mechanic", "created_at", "now"),
            ("ticket", "ticket_id", 0),
            ("ticket", "opened_at", "2001-01-01T00:00:00Z"),
            ("ticket", "closed_at", "2001-01-01T00:00:00Z"),
            ("ticket", "updated_at", "2001-01-01T00:00:00Z"),
            ("part", "part_id", [1]),
            ("part", "created_at", "2001-01-01T00:00:00Z"),
        ],
    )
    def test_refuses_a_changed_read_only_field(
        self,
        shop: APIClient,
        paths: dict[str, str],
        resource: str,
        name: str,
        value: Any,
    ) -> None:
        before = shop.get(paths[resource]).json()

        response = shop.patch(paths[resource], {name: value})

        assert response.status_code == 400
        assert list(response.json()["fields"]) == [name]
        assert shop.get(paths[resource]).json() == before

    @pytest.mark.parametrize(
        ("resource", "name"),
        [
            ("ticket", "ticket_mechanics"),
            ("ticket", "ticket_parts"),
            ("ticket", "vehicle"),
            ("ticket", "customer"),
            ("ticket", "parts_total_cents"),
            ("mechanic", "ticket_count"),
            ("part", "needs_reorder"),
            ("vehicle", "vin_check"),
            ("shop_vehicle", "vin_check"),
        ],
    )
    @pytest.mark.parametrize("value", [0, "nonsense", None, [], {"vin": "x"}])
    def test_ignores_a_derived_field(
        self,
        shop: APIClient,
        paths: dict[str, str],
        resource: str,
        name: str,
        value: Any,
    ) -> None:
        before = shop.get(paths[resource]).json()

        response = shop.patch(paths[resource], {name: value})

        assert response.status_code == 200
        assert response.json()[name] == before[name]

    def test_names_every_stranger_at_once(
        self, shop: APIClient, paths: dict[str, str]
    ) -> None:
        response = shop.patch(paths["part"], {"colour": 1, "weight": 2, "name": "N"})

        assert response.status_code == 400
        assert set(response.json()["fields"]) == {"colour", "weight"}
        assert shop.get(paths["part"]).json()["name"] != "N"


class TestCreate:
    BODY = {"first_name": " Ann ", "last_name": "Lee", "phone": "1"}

    def test_trims_text_and_fills_in_the_absent(self, shop: APIClient) -> None:
        row = shop.post("/api/customers", self.BODY).json()

        assert row["first_name"] == "Ann"
        assert row["email"] is None
        assert {row[name] for name in ("address", "city", "state")} == {""}

    def test_ignores_derived_fields(self, shop: APIClient) -> None:
        body = {"name": "Filter", "price": 1, "needs_reorder": "whatever"}

        response = shop.post("/api/inventory", body)

        assert response.status_code == 201
        assert response.json()["needs_reorder"] is True

    @pytest.mark.parametrize("name", ["customer_id", "created_at", "updated_at"])
    def test_chooses_ids_and_times_itself(self, shop: APIClient, name: str) -> None:
        response = shop.post("/api/customers", {**self.BODY, name: 7})

        assert response.status_code == 400
        assert list(response.json()["fields"]) == [name]
        assert not Customer.objects.exists()

    @pytest.mark.parametrize("blank", ["", "   ", None])
    def test_takes_no_blank_for_a_required_text(
        self, shop: APIClient, blank: str | None
    ) -> None:
        response = shop.post("/api/customers", {**self.BODY, "last_name": blank})

        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["last_name"]


class TestAnswer:
    @pytest.mark.parametrize("resource", RESOURCES)
    def test_writes_every_time_in_utc_with_a_z(
        self, shop: APIClient, paths: dict[str, str], resource: str
    ) -> None:
        row = shop.get(paths[resource]).json()

        times = [row[name] for name in row if name.endswith("_at") and row[name]]
        assert len(times) == 2
        assert all(UTC_TIME.fullmatch(time) for time in times)

    def test_writes_utc_also_for_a_shop_elsewhere(
        self, shop: APIClient, settings: Any
    ) -> None:
        customer = CustomerFactory.create()
        settings.TIME_ZONE = "Asia/Tokyo"

        row = shop.get(f"/api/customers/{customer.pk}").json()

        assert UTC_TIME.fullmatch(row["created_at"])
        assert row["created_at"][:19] == customer.created_at.isoformat()[:19]


class Inner(StrictSerializer):
    name = serializers.CharField()


class Outer(StrictSerializer):
    number = serializers.IntegerField()
    numbers = serializers.ListField(child=serializers.IntegerField())
    inner = Inner()


class TestFields:
    """They are found once for a class and copied for each body."""

    def test_belong_to_one_body(self) -> None:
        one, other = Outer(context={"of": "one"}), Outer(context={"of": "other"})

        for serializer, of in ((one, "one"), (other, "other"), (one, "one")):
            assert serializer.fields["number"].parent is serializer
            numbers, inner = serializer.fields["numbers"], serializer.fields["inner"]
            assert isinstance(numbers, serializers.ListField)
            assert isinstance(inner, Inner)
            inside = (numbers.child, inner.fields["name"])
            assert [field.context for field in inside] == [{"of": of}] * 2

    def test_may_differ_between_bodies(self) -> None:
        lenient, strict = Outer(), Outer()

        lenient.fields["number"].required = False

        assert strict.fields["number"].required

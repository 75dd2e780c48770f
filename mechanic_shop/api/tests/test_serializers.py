"""Bodies: what is left out stays, what is read-only stands still, the rest is named."""

from __future__ import annotations

import re
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory
from inventory.tests.factories import PartFactory
from mechanic_shop.api.serializers import StrictSerializer

pytestmark = pytest.mark.django_db

UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def without_clock(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "updated_at"}


class TestUpdate:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_update_keeps_omitted_fields(self, shop: APIClient, method: str) -> None:
        path = f"/api/customers/{CustomerFactory.create().pk}"
        before = shop.get(path).json()

        response = getattr(shop, method)(path, {"city": "Lyon"})

        assert response.status_code == 200
        assert without_clock(response.json()) == {
            **without_clock(before),
            "city": "Lyon",
        }

    def test_update_names_all_unknown_fields(self, shop: APIClient) -> None:
        path = f"/api/inventory/{PartFactory.create().pk}"

        response = shop.patch(path, {"colour": 1, "weight": 2, "name": "N"})

        assert response.status_code == 400
        assert set(response.json()["fields"]) == {"colour", "weight"}
        assert shop.get(path).json()["name"] != "N"


class TestCreate:
    BODY = {"first_name": " Ann ", "last_name": "Lee", "phone": "1"}

    def test_create_trims_text_and_applies_defaults(self, shop: APIClient) -> None:
        row = shop.post("/api/customers", self.BODY).json()

        assert row["first_name"] == "Ann"
        assert row["email"] is None
        assert {row[name] for name in ("address", "city", "state")} == {""}

    def test_create_ignores_derived_fields(self, shop: APIClient) -> None:
        body = {"name": "Filter", "price": 1, "needs_reorder": "whatever"}

        response = shop.post("/api/inventory", body)

        assert response.status_code == 201
        assert response.json()["needs_reorder"] is True

    @pytest.mark.parametrize("name", ["customer_id", "created_at", "updated_at"])
    def test_create_rejects_ids_and_times(self, shop: APIClient, name: str) -> None:
        response = shop.post("/api/customers", {**self.BODY, name: 7})

        assert response.status_code == 400
        assert list(response.json()["fields"]) == [name]
        assert not Customer.objects.exists()

    @pytest.mark.parametrize("blank", ["", "   ", None])
    def test_create_rejects_blank_required_text(
        self, shop: APIClient, blank: str | None
    ) -> None:
        response = shop.post("/api/customers", {**self.BODY, "last_name": blank})

        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["last_name"]


class TestResponse:
    def test_times_are_utc_in_every_time_zone(
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

    def test_nested_bodies_have_fields_of_their_own(self) -> None:
        one, other = Outer(context={"of": "one"}), Outer(context={"of": "other"})

        for serializer, of in ((one, "one"), (other, "other"), (one, "one")):
            assert serializer.fields["number"].parent is serializer
            numbers, inner = serializer.fields["numbers"], serializer.fields["inner"]
            assert isinstance(numbers, serializers.ListField)
            assert isinstance(inner, Inner)
            inside = (numbers.child, inner.fields["name"])
            assert [field.context for field in inside] == [{"of": of}] * 2

    def test_fields_may_differ_between_requests(self) -> None:
        lenient, strict = Outer(), Outer()

        lenient.fields["number"].required = False

        assert strict.fields["number"].required

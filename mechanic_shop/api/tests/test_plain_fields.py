"""Every number and boolean that any request body has, read as JSON writes it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.urls import get_resolver
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.test import APIClient

from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.api.plain_fields import (
    DecimalNumberField,
    SentBooleanField,
    WholeNumberField,
)
from mechanic_shop.api.serializers import StrictFieldsMixin
from mechanics.models import Mechanic
from mechanics.serializers import ActivityQuerySerializer, RankingQuerySerializer

pytestmark = pytest.mark.django_db

DECIMAL = DecimalNumberField(max_digits=9, decimal_places=2)
ODD_NUMBERS = ["1_000", "1e1", "١٢", "１２", "+5", " 5", "5 ", "²", "1,5", "NaN", "0x5"]


QUERIES = ["service-tickets?priority", "vehicles?customer_id", "mechanics/top?limit"]


def request_fields(*kinds: type) -> Iterator[tuple[str, Any]]:
    """Yield the writable fields of these kinds in the shop's request bodies."""
    assert get_resolver().url_patterns  # which imports all serializers
    for kind in _request_serializers():
        for name, field in kind().get_fields().items():
            child = getattr(field, "child", None) or getattr(field, "pk_field", None)
            for each in (field, child):
                if isinstance(each, kinds) and not field.read_only:
                    yield f"{kind.__name__}.{name}", each


def _request_serializers() -> list[Any]:
    """List the serializers of bodies; what only responses have is named so."""
    strict = [
        kind
        for kind in _all_below(StrictFieldsMixin)
        if "tests" not in kind.__module__.split(".")
        and not kind.__module__.startswith("mechanic_shop.api.")
        and "Response" not in kind.__name__
    ]
    return [ActivityQuerySerializer, RankingQuerySerializer, *strict]


def _all_below(kind: Any) -> list[Any]:
    return [each for sub in kind.__subclasses__() for each in (sub, *_all_below(sub))]


class TestRequestBodies:
    def test_every_number_is_read_as_it_is_written(self) -> None:
        numbers = list(
            request_fields(serializers.IntegerField, serializers.DecimalField)
        )

        assert len(numbers) > 20
        lenient = [
            name
            for name, field in numbers
            if not isinstance(field, WholeNumberField | DecimalNumberField)
        ]
        assert lenient == []

    def test_no_missing_boolean_is_taken_for_false(self) -> None:
        booleans = list(request_fields(serializers.BooleanField))

        assert {name.partition(".")[2] for name, _ in booleans} >= {"is_active"}
        assert [
            name for name, field in booleans if not isinstance(field, SentBooleanField)
        ] == []


class TestNumbers:
    @pytest.mark.parametrize("text", ODD_NUMBERS)
    @pytest.mark.parametrize(
        "field",
        [WholeNumberField(), DecimalNumberField(max_digits=9, decimal_places=2)],
    )
    def test_odd_spelling_is_an_error(self, field: Any, text: str) -> None:
        with pytest.raises(serializers.ValidationError):
            field.run_validation(text)

    @pytest.mark.parametrize("text", ["5", "-5", "007"])
    def test_digits_are_a_whole_number(self, text: str) -> None:
        assert WholeNumberField().run_validation(text) == int(text)

    @pytest.mark.parametrize("text", ["5", "-5", "15.65", ".5", "5.", "0.10"])
    def test_digits_with_a_point_are_a_decimal(self, text: str) -> None:
        assert DECIMAL.run_validation(text) == Decimal(text)

    @pytest.mark.parametrize("price", ["1_000", "1e1", "١٢", "+5", " 5"])
    def test_price_of_odd_spelling_is_a_400(self, shop: APIClient, price: str) -> None:
        body = {"name": "Brake pad", "price": price}

        response = shop.post("/api/inventory", body)

        assert (response.status_code, list(response.data["fields"])) == (400, ["price"])

    @pytest.mark.parametrize("text", ["1_0", "+1", "١", "1.0", "²"])
    @pytest.mark.parametrize("path", QUERIES)
    def test_query_of_odd_spelling_is_a_400(
        self, shop: APIClient, path: str, text: str
    ) -> None:
        path, _, name = path.partition("?")

        assert shop.get(f"/api/{path}", {name: text}).status_code == 400


class TestBooleans:
    PART = {"name": "Brake pad", "price": "15.65"}
    MECHANIC = {
        "full_name": "Sam Lee",
        "email": "sam@shop.test",
        "phone": "1",
        "salary": "50000",
    }

    @pytest.mark.parametrize("form", ["multipart", "urlencoded"])
    def test_form_without_is_active_makes_active_rows(
        self, shop: APIClient, form: str
    ) -> None:
        for path, body in (("inventory", self.PART), ("mechanics", self.MECHANIC)):
            assert _send_form(shop, path, body, form).status_code == 201

        assert Part.objects.get().is_active
        assert Mechanic.objects.get().is_active

    def test_form_can_say_false(self, shop: APIClient) -> None:
        body = {**self.PART, "is_active": "false"}

        assert _send_form(shop, "inventory", body, "multipart").status_code == 201

        assert not Part.objects.get().is_active

    def test_put_form_without_is_active_keeps_it(self, shop: APIClient) -> None:
        part = PartFactory.create(is_active=True)

        path = f"/api/inventory/{part.pk}"

        response = shop.put(path, {"name": "x"}, format="multipart")

        assert response.data["is_active"] is True

    def test_box_not_ticked_in_a_browser_is_false(self) -> None:
        field = SentBooleanField(required=False)
        field.bind("is_active", serializers.Serializer())

        assert field.get_value(QueryDict("name=x")) is empty
        assert field.get_value(QueryDict("csrfmiddlewaretoken=x")) is False


def _send_form(client: APIClient, path: str, body: dict[str, str], form: str) -> Any:
    if form == "multipart":
        return client.post(f"/api/{path}", body, format="multipart")
    return client.post(
        f"/api/{path}",
        urlencode(body),
        content_type="application/x-www-form-urlencoded",
    )

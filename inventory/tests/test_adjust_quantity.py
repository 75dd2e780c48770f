from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from inventory.models import MAX_STOCK, Part
from inventory.services import InsufficientStock, TooMuchStock, adjust_stock
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User

pytestmark = pytest.mark.django_db


def adjust(shop: APIClient, part: Part, **body: Any) -> Any:
    return shop.patch(f"/api/inventory/{part.pk}/adjust-quantity", body)


def stock(part: Part) -> int:
    return Part.objects.get(pk=part.pk).quantity_in_stock


class TestAdjustQuantity:
    @pytest.mark.parametrize(("adjustment", "after"), [(5, 15), (-3, 7), (-10, 0)])
    def test_tells_what_was_and_what_is(
        self, shop: APIClient, adjustment: int, after: int
    ) -> None:
        part = PartFactory.create(quantity_in_stock=10)

        response = adjust(shop, part, adjustment=adjustment)

        body = response.json()
        assert response.status_code == 200
        assert set(body) == {
            "message",
            "part",
            "adjustment",
            "previous_quantity",
            "new_quantity",
        }
        assert body["adjustment"] == adjustment
        assert (body["previous_quantity"], body["new_quantity"]) == (10, after)
        assert body["part"] == shop.get(f"/api/inventory/{part.pk}").json()
        assert stock(part) == body["part"]["quantity_in_stock"] == after

    def test_never_goes_below_zero(self, shop: APIClient) -> None:
        part = PartFactory.create(quantity_in_stock=2)

        response = adjust(shop, part, adjustment=-3)

        body = response.json()
        assert (response.status_code, body["code"]) == (409, "insufficient_stock")
        assert (body["requested"], body["available"]) == (3, 2)
        assert stock(part) == 2
        assert part.movements.count() == 1

    @pytest.mark.parametrize(
        "adjustment", [0, None, "", "x", 1.5, True, 1_000_001, -1_000_001, 10**30]
    )
    def test_takes_whole_numbers_but_zero(
        self, shop: APIClient, adjustment: Any
    ) -> None:
        part = PartFactory.create(quantity_in_stock=10)

        response = adjust(shop, part, adjustment=adjustment)

        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["adjustment"]
        assert stock(part) == 10

    def test_needs_an_adjustment(self, shop: APIClient) -> None:
        response = adjust(shop, PartFactory.create(), note="Nothing to say")

        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["adjustment"]

    @pytest.mark.parametrize("reason", ["adjust", "count", "receive"])
    def test_notes_the_reason_somebody_gives(
        self, shop: APIClient, reason: str
    ) -> None:
        part = PartFactory.create()

        adjust(shop, part, adjustment=1, reason=reason, note=" Box 7 ")

        movement = part.movements.latest("pk")
        assert (movement.reason, movement.note) == (reason, "Box 7")

    @pytest.mark.parametrize("reason", ["install", "return", "initial", "stolen", ""])
    def test_refuses_reasons_that_are_not_a_persons(
        self, shop: APIClient, reason: str
    ) -> None:
        part = PartFactory.create(quantity_in_stock=10)

        response = adjust(shop, part, adjustment=1, reason=reason)

        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["reason"]
        assert stock(part) == 10

    def test_takes_a_note_of_some_length(self, shop: APIClient) -> None:
        part = PartFactory.create()

        good = adjust(shop, part, adjustment=1, note="x" * 255)
        bad = adjust(shop, part, adjustment=1, note="x" * 256)

        assert (good.status_code, bad.status_code) == (200, 400)

    def test_works_on_a_part_that_is_no_longer_kept(self, shop: APIClient) -> None:
        part = PartFactory.create(is_active=False, quantity_in_stock=10)

        assert adjust(shop, part, adjustment=-1).status_code == 200
        assert stock(part) == 9

    def test_answers_404_where_no_part_is(self, shop: APIClient) -> None:
        response = shop.patch("/api/inventory/0/adjust-quantity", {"adjustment": 1})

        assert response.status_code == 404


class TestAdjustStock:
    def test_counts_from_the_shelf_and_not_from_a_stale_object(
        self, owner: User
    ) -> None:
        part = PartFactory.create(quantity_in_stock=10)
        stale = Part.objects.get(pk=part.pk)
        adjust_stock(part=part, adjustment=-8, by=owner)

        with pytest.raises(InsufficientStock):
            adjust_stock(part=stale, adjustment=-3, by=owner)

        assert stock(part) == 2

    def test_has_a_largest_shelf(self, owner: User) -> None:
        part = PartFactory.create(quantity_in_stock=MAX_STOCK)

        with pytest.raises(
            TooMuchStock, match=r"^There is no room for \d+ more units\.$"
        ):
            adjust_stock(part=part, adjustment=1, by=owner)

        assert stock(part) == MAX_STOCK
        assert part.movements.count() == 1

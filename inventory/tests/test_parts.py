from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.test import APIClient

from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.tests.factories import UserFactory

URL = "/api/inventory"


def names(response: Any) -> list[str]:
    return [part["name"] for part in response.json()["parts"]]


@pytest.mark.django_db
class TestCreatePart:
    def test_answers_with_everything_about_the_part(self, shop: APIClient) -> None:
        response = shop.post(
            URL,
            {
                "part_number": "BRK-001",
                "name": "Brake pad",
                "description": "Front",
                "category": "Brakes",
                "manufacturer": "Brembo",
                "current_cost_cents": 4_599,
                "quantity_in_stock": 20,
                "reorder_level": 3,
                "supplier": "Parts & Co",
                "is_active": True,
            },
        )

        row = response.json()
        assert response.status_code == 201
        assert row.pop("created_at")
        assert row.pop("updated_at")
        assert row == {
            "part_id": Part.objects.get().pk,
            "part_number": "BRK-001",
            "name": "Brake pad",
            "description": "Front",
            "category": "Brakes",
            "manufacturer": "Brembo",
            "current_cost_cents": 4_599,
            "price": 45.99,
            "quantity_in_stock": 20,
            "reorder_level": 3,
            "supplier": "Parts & Co",
            "is_active": True,
            "needs_reorder": False,
        }

    def test_fills_in_what_is_left_out(self, shop: APIClient) -> None:
        row = shop.post(URL, {"name": "Filter", "current_cost_cents": 0}).json()

        assert row["part_number"]
        assert (row["quantity_in_stock"], row["reorder_level"]) == (0, 5)
        assert (row["category"], row["is_active"]) == ("General", True)
        assert row["needs_reorder"] is True
        assert {row[n] for n in ("description", "manufacturer", "supplier")} == {""}

    @pytest.mark.parametrize("price", [45.99, "45.99"])
    def test_takes_a_price_for_the_cost(self, shop: APIClient, price: Any) -> None:
        row = shop.post(URL, {"name": "Filter", "price": price}).json()

        assert (row["current_cost_cents"], row["price"]) == (4_599, 45.99)

    def test_takes_both_when_they_agree(self, shop: APIClient) -> None:
        body = {"name": "Filter", "price": 45.5, "current_cost_cents": 4_550}

        response = shop.post(URL, body)

        assert response.status_code == 201
        assert response.json()["current_cost_cents"] == 4_550

    @pytest.mark.parametrize(
        ("cost", "fields"),
        [
            ({}, {"current_cost_cents"}),
            ({"price": 45.99, "current_cost_cents": 46}, {"price"}),
            ({"price": 1.001}, {"price"}),
            ({"price": -1}, {"price"}),
            ({"price": "x"}, {"price"}),
            ({"price": None}, {"price"}),
            ({"price": True}, {"price"}),
            ({"price": 10_000_000.01}, {"price"}),
            ({"current_cost_cents": -1}, {"current_cost_cents"}),
            ({"current_cost_cents": None}, {"current_cost_cents"}),
            ({"current_cost_cents": 1_000_000_001}, {"current_cost_cents"}),
        ],
    )
    def test_refuses_a_cost_that_is_none(
        self, shop: APIClient, cost: dict[str, Any], fields: set[str]
    ) -> None:
        response = shop.post(URL, {"name": "Filter", **cost})

        assert response.status_code == 400
        assert set(response.json()["fields"]) == fields
        assert not Part.objects.exists()

    @pytest.mark.parametrize("absent", [{}, {"part_number": ""}, {"part_number": None}])
    def test_makes_up_a_number_of_its_own_each_time(
        self, shop: APIClient, absent: dict[str, Any]
    ) -> None:
        body = {"name": "Filter", "price": 1, **absent}

        numbers = {shop.post(URL, body).json()["part_number"] for _ in range(3)}

        assert len(numbers) == 3
        assert all(numbers)

    def test_keeps_a_number_as_it_was_typed(self, shop: APIClient) -> None:
        body = {"name": "Filter", "price": 1, "part_number": " aBc-1 "}

        row = shop.post(URL, body).json()

        assert row["part_number"] == "aBc-1"

    @pytest.mark.parametrize("number", ["aBc-1", "ABC-1", "abc-1", " abc-1"])
    def test_refuses_a_number_that_exists_in_any_case(
        self, shop: APIClient, number: str
    ) -> None:
        PartFactory.create(part_number="aBc-1")

        response = shop.post(URL, {"name": "Filter", "price": 1, "part_number": number})

        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["part_number"]
        assert Part.objects.count() == 1

    @pytest.mark.parametrize(
        ("field", "longest"),
        [
            ("part_number", 100),
            ("name", 255),
            ("category", 100),
            ("manufacturer", 255),
            ("supplier", 255),
        ],
    )
    def test_takes_text_up_to_its_length(
        self, shop: APIClient, field: str, longest: int
    ) -> None:
        body = {"name": "Filter", "price": 1}

        good = shop.post(URL, {**body, field: "x" * longest})
        bad = shop.post(URL, {**body, field: "y" * (longest + 1)})

        assert (good.status_code, bad.status_code) == (201, 400)
        assert list(bad.json()["fields"]) == [field]

    @pytest.mark.parametrize("field", ["quantity_in_stock", "reorder_level"])
    def test_takes_numbers_up_to_a_million(self, shop: APIClient, field: str) -> None:
        body = {"name": "Filter", "price": 1}

        statuses = [
            shop.post(URL, {**body, field: value}).status_code
            for value in (0, 1_000_000, 1_000_001, -1)
        ]

        assert statuses == [201, 201, 400, 400]

    def test_needs_a_name(self, shop: APIClient) -> None:
        response = shop.post(URL, {"price": 1})

        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["name"]


@pytest.mark.django_db
class TestUpdatePart:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_changes_what_is_sent_and_nothing_else(
        self, shop: APIClient, method: str
    ) -> None:
        part = PartFactory.create(name="Old", supplier="Bosch")

        response = getattr(shop, method)(f"{URL}/{part.pk}", {"name": "New"})

        stored = Part.objects.get(pk=part.pk)
        assert response.status_code == 200
        assert (stored.name, stored.supplier) == ("New", "Bosch")
        assert (stored.current_cost_cents, stored.quantity_in_stock) == (4_500, 10)

    @pytest.mark.parametrize(
        ("cost", "cents"),
        [
            ({"current_cost_cents": 5_000}, 5_000),
            ({"price": 50.01}, 5_001),
            ({"price": 50, "current_cost_cents": 5_000}, 5_000),
            ({"price": 50, "current_cost_cents": 4_500}, 5_000),
            ({"price": 45, "current_cost_cents": 5_000}, 5_000),
            ({"price": 45, "current_cost_cents": 4_500}, 4_500),
            ({"price": 0}, 0),
        ],
    )
    def test_takes_the_cost_that_differs(
        self, shop: APIClient, cost: dict[str, Any], cents: int
    ) -> None:
        part = PartFactory.create(current_cost_cents=4_500)

        response = shop.patch(f"{URL}/{part.pk}", cost)

        assert response.status_code == 200
        assert Part.objects.get(pk=part.pk).current_cost_cents == cents

    def test_refuses_two_new_costs(self, shop: APIClient) -> None:
        part = PartFactory.create(current_cost_cents=4_500)

        response = shop.patch(
            f"{URL}/{part.pk}", {"price": 1, "current_cost_cents": 2, "name": "New"}
        )

        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["price"]
        assert Part.objects.get(pk=part.pk).name == part.name

    def test_may_write_its_own_number_in_another_case(self, shop: APIClient) -> None:
        part = PartFactory.create(part_number="abc")

        response = shop.patch(f"{URL}/{part.pk}", {"part_number": "ABC"})

        assert (response.status_code, response.json()["part_number"]) == (200, "ABC")

    def test_refuses_the_number_of_another_part(self, shop: APIClient) -> None:
        part = PartFactory.create()
        PartFactory.create(part_number="taken")

        response = shop.patch(f"{URL}/{part.pk}", {"part_number": "TAKEN"})

        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["part_number"]

    @pytest.mark.parametrize("number", ["", None])
    def test_leaves_no_part_without_a_number(
        self, shop: APIClient, number: str | None
    ) -> None:
        part = PartFactory.create(part_number="abc")

        response = shop.patch(f"{URL}/{part.pk}", {"part_number": number})

        assert response.status_code == 400
        assert Part.objects.get(pk=part.pk).part_number == "abc"

    def test_keeps_a_dropped_part_at_hand_and_takes_it_back(
        self, shop: APIClient
    ) -> None:
        part = PartFactory.create()
        shop.patch(f"{URL}/{part.pk}", {"is_active": False})

        read = shop.get(f"{URL}/{part.pk}")
        back = shop.patch(f"{URL}/{part.pk}", {"is_active": True})

        assert (read.status_code, back.status_code) == (200, 200)
        assert read.json()["is_active"] is False
        assert Part.objects.get(pk=part.pk).is_active

    def test_answers_404_where_no_part_is(self, shop: APIClient) -> None:
        assert shop.patch(f"{URL}/0", {"name": "New"}).status_code == 404


class TestPrice(TestCase):
    @given(cents=st.integers(min_value=0, max_value=1_000_000_000))
    def test_is_the_cost_to_the_cent(self, cents: int) -> None:
        client = APIClient()
        client.force_authenticate(UserFactory.create(superuser=True))

        text = f"{cents // 100}.{cents % 100:02d}"
        for price in (text, float(text)):
            row = client.post(URL, {"name": "Filter", "price": price}).json()
            assert row["current_cost_cents"] == cents
            assert round(row["price"] * 100) == cents


@pytest.mark.django_db
class TestListParts:
    def test_leaves_out_what_is_no_longer_kept(self, shop: APIClient) -> None:
        PartFactory.create(name="kept")
        PartFactory.create(name="dropped", is_active=False)

        assert names(shop.get(URL)) == ["kept"]
        assert names(shop.get(URL, {"is_active": "false"})) == ["dropped"]

    def test_calls_low_what_is_at_its_reorder_level(self, shop: APIClient) -> None:
        for quantity in (4, 5, 6):
            PartFactory.create(
                name=f"{quantity}", quantity_in_stock=quantity, reorder_level=5
            )

        response = shop.get(URL, {"low_stock": "true"})

        assert names(response) == ["4", "5"]
        assert all(part["needs_reorder"] for part in response.json()["parts"])
        assert names(shop.get(URL, {"low_stock": "false"})) == ["6"]

    @pytest.mark.parametrize("text", ["brakes", "BRAKES"])
    def test_keeps_to_a_category(self, shop: APIClient, text: str) -> None:
        PartFactory.create(name="pad", category="Brakes")
        PartFactory.create(name="bulb", category="Lights")

        assert names(shop.get(URL, {"category": text})) == ["pad"]

    @pytest.mark.parametrize(
        "text", ["BRK", "ceramic", "front", "bremb", "pad brembo", " pad  front "]
    )
    def test_finds_every_word_anywhere(self, shop: APIClient, text: str) -> None:
        PartFactory.create(
            part_number="BRK-1",
            name="Ceramic pad",
            description="Front axle",
            manufacturer="Brembo",
        )
        PartFactory.create(name="Bulb")

        assert names(shop.get(URL, {"search": text})) == ["Ceramic pad"]

    def test_finds_nothing_when_one_word_is_missing(self, shop: APIClient) -> None:
        PartFactory.create(name="Ceramic pad")

        assert names(shop.get(URL, {"search": "ceramic bulb"})) == []

    @pytest.mark.parametrize(
        ("ordering", "order"),
        [
            ("part_number", ["b", "c", "a"]),
            ("-part_number", ["a", "c", "b"]),
            ("name", ["a", "b", "c"]),
            ("-name", ["c", "b", "a"]),
            ("category", ["c", "a", "b"]),
            ("quantity_in_stock", ["c", "b", "a"]),
            ("current_cost_cents", ["b", "a", "c"]),
            ("category,-name", ["c", "b", "a"]),
        ],
    )
    def test_orders_by_what_is_asked(
        self, shop: APIClient, ordering: str, order: list[str]
    ) -> None:
        rows = [
            ("a", "P3", "Y", 3, 200),
            ("b", "P1", "Y", 2, 100),
            ("c", "P2", "X", 1, 300),
        ]
        for name, number, category, quantity, cost in rows:
            PartFactory.create(
                name=name,
                part_number=number,
                category=category,
                quantity_in_stock=quantity,
                current_cost_cents=cost,
            )

        assert names(shop.get(URL, {"ordering": ordering})) == order

    def test_knows_what_changed_since(self, shop: APIClient) -> None:
        old, new = PartFactory.create(), PartFactory.create(name="new")
        Part.objects.filter(pk=old.pk).update(updated_at="2020-01-01T00:00:00Z")
        Part.objects.filter(pk=new.pk).update(updated_at="2020-01-02T00:00:00Z")

        response = shop.get(URL, {"updated_after": "2020-01-01T00:00:00Z"})

        assert names(response) == ["new"]

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.test import APIClient

from inventory.models import Part
from inventory.services import InsufficientStock, adjust_stock, count_stock
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory
from tickets.services import change_installed_part, install_part, remove_part
from tickets.tests.factories import TicketFactory


def ledger(part: Part) -> list[tuple[int, int, str]]:
    """Return (delta, quantity after, reason), the oldest first."""
    rows = part.movements.order_by("pk")
    return list(rows.values_list("delta", "quantity_after", "reason"))


@pytest.mark.django_db
class TestMovements:
    def test_begin_with_the_first_stock(self, shop: APIClient) -> None:
        body = {"name": "Filter", "price": 1, "quantity_in_stock": 7}

        part = Part.objects.get(pk=shop.post("/api/inventory", body).json()["part_id"])

        assert ledger(part) == [(7, 7, "initial")]

    def test_are_none_of_an_empty_shelf(self, shop: APIClient) -> None:
        part = PartFactory.create(quantity_in_stock=0)

        body = shop.get(f"/api/inventory/{part.pk}/movements").json()

        assert body["movements"] == []

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_call_a_changed_quantity_a_count(
        self, shop: APIClient, method: str
    ) -> None:
        part = PartFactory.create(quantity_in_stock=10)

        response = getattr(shop, method)(
            f"/api/inventory/{part.pk}", {"quantity_in_stock": 4}
        )

        assert response.json()["quantity_in_stock"] == 4
        assert ledger(part)[1:] == [(-6, 4, "count")]

    def test_are_not_made_by_repeating_the_quantity(self, shop: APIClient) -> None:
        part = PartFactory.create(quantity_in_stock=10)

        shop.put(f"/api/inventory/{part.pk}", {"quantity_in_stock": 10, "name": "New"})

        assert len(ledger(part)) == 1
        assert Part.objects.get(pk=part.pk).name == "New"

    def test_follow_a_part_onto_a_ticket_and_back(self, owner: User) -> None:
        part, ticket = PartFactory.create(quantity_in_stock=10), TicketFactory.create()

        install_part(ticket=ticket, part=part, quantity_used=3, by=owner)
        change_installed_part(ticket=ticket, part=part, quantity_used=5, by=owner)
        remove_part(ticket=ticket, part=part, by=owner)

        assert ledger(part)[1:] == [
            (-3, 7, "install"),
            (-2, 5, "install"),
            (5, 10, "return"),
        ]
        tickets = part.movements.order_by("pk").values_list("ticket_id", flat=True)
        assert list(tickets) == [None, ticket.pk, ticket.pk, ticket.pk]

    def test_say_who_and_why_and_what_was_left(
        self, shop: APIClient, owner: User
    ) -> None:
        part = PartFactory.create(quantity_in_stock=10)
        adjust_stock(part=part, adjustment=-2, by=owner, note="Broken")

        movement = shop.get(f"/api/inventory/{part.pk}/movements").json()["movements"][
            0
        ]

        assert movement.pop("at").endswith("Z")
        assert movement == {
            "movement_id": part.movements.latest("pk").pk,
            "part_id": part.pk,
            "delta": -2,
            "quantity_after": 8,
            "reason": "adjust",
            "ticket_id": None,
            "note": "Broken",
            "by": {"user_id": owner.pk, "name": owner.full_name},
        }

    def test_are_shown_newest_first(self, shop: APIClient, owner: User) -> None:
        part = PartFactory.create(quantity_in_stock=1)
        for _ in range(3):
            adjust_stock(part=part, adjustment=1, by=owner)

        body = shop.get(f"/api/inventory/{part.pk}/movements").json()

        assert [row["quantity_after"] for row in body["movements"]] == [4, 3, 2, 1]

    def test_are_those_of_one_part(self, shop: APIClient) -> None:
        part, _ = PartFactory.create(), PartFactory.create()

        body = shop.get(f"/api/inventory/{part.pk}/movements").json()

        assert body["pagination"]["total_movements"] == 1

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_cannot_be_rewritten(self, shop: APIClient, method: str) -> None:
        part = PartFactory.create()

        response = getattr(shop, method)(f"/api/inventory/{part.pk}/movements", {})

        assert response.status_code == 405
        assert len(ledger(part)) == 1

    def test_are_not_made_by_what_is_refused(self, shop: APIClient) -> None:
        part = PartFactory.create(quantity_in_stock=1)
        body: dict[str, Any] = {"quantity_in_stock": 5, "price": -1}

        assert shop.patch(f"/api/inventory/{part.pk}", body).status_code == 400

        assert ledger(part) == [(1, 1, "initial")]


class TestStock(TestCase):
    """Whatever happens, in whatever order: the shelf and the ledger agree."""

    @settings(max_examples=25, deadline=None)
    @given(
        first=st.integers(0, 20),
        steps=st.lists(
            st.tuples(
                st.sampled_from(["adjust", "count"]),
                st.integers(-20, 20).filter(bool),
            ),
            max_size=8,
        ),
    )
    def test_is_the_sum_of_its_movements(
        self, first: int, steps: list[tuple[str, int]]
    ) -> None:
        by = UserFactory.create()
        part, expected = PartFactory.create(quantity_in_stock=first), first

        for verb, number in steps:
            if verb == "count":
                expected = abs(number)
                count_stock(part=part, counted=expected, by=by)
            elif expected + number < 0:
                with pytest.raises(InsufficientStock):
                    adjust_stock(part=part, adjustment=number, by=by)
            else:
                expected += number
                adjust_stock(part=part, adjustment=number, by=by)

        rows, running = ledger(part), 0
        for delta, after, _ in rows:
            running += delta
            assert running == after
        total = part.movements.aggregate(total=Sum("delta"))["total"] or 0
        assert Part.objects.get(pk=part.pk).quantity_in_stock == total == expected

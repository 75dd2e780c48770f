"""Requests that are sent again, and edits of what others are editing too."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from .load import Answer, at_once, codes, counted
from .shop import Shop

TWINS = 32
IN_STOCK = 100
LINE = {"quantity_used": 1}
REPLAYED = "Idempotency-Replayed"

rows = pytest.mark.parametrize(
    ("new_row", "path", "field"),
    [
        (Shop.new_customer, "/customers", "last_name"),
        (Shop.new_ticket, "/service-tickets", "problem_description"),
        (Shop.new_part, "/inventory", "name"),
    ],
    ids=["customer", "ticket", "part"],
)


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


def assert_done_once(answers: list[Answer], status: int) -> None:
    """Check that one did it, and all others repeat its answer or are told to wait.

    :raises AssertionError: if not
    """
    done = [answer for answer in answers if answer.status == status]
    assert counted(answers).keys() <= {status, 409}
    assert codes(answers) <= {"in_progress"}
    assert len({answer.body for answer in done}) == 1
    assert len({answer.headers["ETag"] for answer in done}) == 1
    fresh = [answer for answer in done if REPLAYED not in answer.headers]
    assert len(fresh) == 1


@pytest.mark.race
class TestTwins:
    def test_install_a_part_once(self, shop: Shop) -> None:
        part, ticket = shop.new_part(quantity_in_stock=IN_STOCK), shop.new_ticket()
        path, key = f"/service-tickets/{ticket}/parts/{part}", new_key()

        answers = at_once(TWINS, lambda _: shop.owner.post(path, LINE, headers=key))

        assert_done_once(answers, 201)
        assert shop.moved(part) == [-1]
        assert shop.stock(part) == IN_STOCK - 1
        shop.assert_invariants()

    def test_open_a_ticket_once(self, shop: Shop) -> None:
        customer, key = shop.new_customer(), new_key()
        body = {
            "vehicle_id": shop.new_vehicle(customer),
            "problem_description": "It rattles",
            "odometer_miles": 90_000,
        }

        answers = at_once(
            TWINS, lambda _: shop.owner.post("/service-tickets", body, headers=key)
        )

        assert_done_once(answers, 201)
        path = f"/customers/{customer}/service-tickets"
        assert len(shop.rows(path, "service_tickets")) == 1
        shop.assert_invariants()

    def test_adjust_the_stock_once(self, shop: Shop) -> None:
        part, key = shop.new_part(), new_key()
        path, more = f"/inventory/{part}/adjust-quantity", {"adjustment": 5}

        answers = at_once(TWINS, lambda _: shop.owner.patch(path, more, headers=key))

        assert_done_once(answers, 200)
        assert shop.moved(part) == [5]
        assert shop.stock(part) == 5
        shop.assert_invariants()

    def test_win_or_lose_together_against_those_with_another_body(
        self, shop: Shop
    ) -> None:
        part, key = shop.new_part(), new_key()
        path, bodies = f"/inventory/{part}/adjust-quantity", (5, 7)

        answers = at_once(
            TWINS,
            lambda i: shop.owner.patch(
                path, {"adjustment": bodies[i % 2]}, headers=key
            ),
        )

        moved = shop.moved(part)
        assert moved in ([5], [7])
        winner = bodies.index(moved[0])
        assert_done_once(answers[winner::2], 200)
        losers = answers[1 - winner :: 2]
        assert counted(losers).keys() <= {422, 409}
        assert codes(losers) <= {"idempotency_key_reused", "in_progress"}
        shop.assert_invariants()


class TestKey:
    def test_is_free_again_after_a_refusal(self, shop: Shop) -> None:
        part, ticket, key = shop.new_part(), shop.new_ticket(), new_key()
        path = f"/service-tickets/{ticket}/parts/{part}"

        refused = at_once(TWINS, lambda _: shop.owner.post(path, LINE, headers=key))
        shop.owner.patch(f"/inventory/{part}/adjust-quantity", {"adjustment": 1})
        allowed = shop.owner.post(path, LINE, headers=key)

        assert counted(refused) == {409: TWINS}
        assert codes(refused) == {"insufficient_stock"}
        assert allowed.status == 201
        assert REPLAYED not in allowed.headers
        assert shop.moved(part) == [1, -1]
        shop.assert_invariants()

    def test_stands_for_one_request_for_ever(self, shop: Shop) -> None:
        part, other, key = shop.new_part(), shop.new_part(), new_key()
        path = f"/inventory/{part}/adjust-quantity"
        shop.owner.patch(path, {"adjustment": 5}, headers=key).expect(200)

        answers = [
            shop.owner.patch(path, {"adjustment": 6}, headers=key),
            shop.owner.patch(
                f"/inventory/{other}/adjust-quantity", {"adjustment": 5}, headers=key
            ),
        ]

        assert counted(answers) == {422: 2}
        assert codes(answers) == {"idempotency_key_reused"}
        assert [shop.moved(part), shop.moved(other)] == [[5], []]


def seen(shop: Shop, path: str) -> dict[str, str]:
    """Read a row, and tell the server with the next request which state that was."""
    answer = shop.owner.get(path, retry_stale=True)
    answer.expect(200)
    return {"If-Match": answer.headers["ETag"]}


@pytest.mark.race
class TestOf32WhoHaveSeenTheSame:
    @rows
    def test_one_edits(
        self, shop: Shop, new_row: Callable[[Shop], int], path: str, field: str
    ) -> None:
        path = f"{path}/{new_row(shop)}"
        match = seen(shop, path)

        answers = at_once(
            32, lambda i: shop.owner.patch(path, {field: f"New {i}"}, headers=match)
        )

        assert counted(answers) == {200: 1, 412: 31}
        assert codes(answers) == {"precondition_failed"}
        [winner] = [i for i, answer in enumerate(answers) if answer.status == 200]
        stored = shop.owner.get(path, retry_stale=True)
        assert stored.json()[field] == f"New {winner}"
        assert stored.headers["ETag"] == answers[winner].headers["ETag"]
        shop.assert_invariants()

    def test_one_adjusts_the_stock(self, shop: Shop) -> None:
        path = f"/inventory/{(part := shop.new_part())}"
        match, more = seen(shop, path), {"adjustment": 5}

        answers = at_once(
            32,
            lambda _: shop.owner.patch(f"{path}/adjust-quantity", more, headers=match),
        )

        assert counted(answers) == {200: 1, 412: 31}
        assert shop.moved(part) == [5]
        shop.assert_invariants()


class TestTag:
    @rows
    def test_of_an_earlier_state_deletes_nothing(
        self, shop: Shop, new_row: Callable[[Shop], int], path: str, field: str
    ) -> None:
        path = f"{path}/{new_row(shop)}"
        stale = seen(shop, path)
        shop.owner.patch(path, {field: "New"}).expect(200)

        refused = shop.owner.delete(path, headers=stale)
        deleted = shop.owner.delete(path, headers=seen(shop, path))

        assert (refused.status, refused.code) == (412, "precondition_failed")
        assert deleted.status == 204
        assert shop.owner.get(path).status == 404
        shop.assert_invariants()

    @rows
    def test_spares_the_body_until_the_row_changes(
        self, shop: Shop, new_row: Callable[[Shop], int], path: str, field: str
    ) -> None:
        path = f"{path}/{new_row(shop)}"
        tag = shop.owner.get(path).headers["ETag"]

        same = shop.owner.get(path, headers={"If-None-Match": tag})
        shop.owner.patch(path, {field: "New"}).expect(200)
        changed = shop.owner.get(path, headers={"If-None-Match": tag})

        assert (same.status, same.body, same.headers["ETag"]) == (304, b"", tag)
        assert changed.status == 200
        assert changed.json()[field] == "New"
        assert changed.headers["ETag"] != tag

"""System B's walkthrough over HTTP on the demo data, in the order of its README."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from .support.server import Site

pytestmark = pytest.mark.xdist_group("demo server")


def ok(answer: httpx.Response, status_code: int = 200) -> Any:
    """Check the status and return the body."""
    assert answer.status_code == status_code, answer.text
    return answer.json() if answer.content else None


class TestSystemB:
    def test_works_from_signing_in_to_deleting(self, demo_server: Site) -> None:
        self.sign_in_and_see_the_own_tickets(demo_server)
        shop = demo_server.sign_in(email="admin@example.com", password="password123")
        self.rank_the_mechanics(shop)
        self.edit_the_mechanics_of_a_ticket(shop)
        self.attach_a_part_to_a_ticket(shop)
        self.keep_the_inventory(shop)

    def sign_in_and_see_the_own_tickets(self, server: Site) -> None:
        credentials = {"email": "test@example.com", "password": "password123"}
        answer = ok(server.client().post("/customers/login/", json=credentials))
        assert answer["token"] == answer["access_token"]
        assert answer["customer"]["customer_id"] == 1

        page = ok(server.client(answer["token"]).get("/customers/my-tickets"))
        assert {row["customer_id"] for row in page["service_tickets"]} == {1}
        assert 1 in {row["ticket_id"] for row in page["service_tickets"]}

    def rank_the_mechanics(self, shop: httpx.Client) -> None:
        ranking = ok(shop.get("/mechanics/top"))
        counts = [row["ticket_count"] for row in ranking]
        assert len(counts) >= 8
        assert counts == sorted(counts, reverse=True)
        assert ok(shop.get("/mechanics/leaderboard?limit=3")) == ranking[:3]

    def edit_the_mechanics_of_a_ticket(self, shop: httpx.Client) -> None:
        url = "/service_tickets/1/edit"
        assert ok(shop.get("/service_tickets/"))["service_tickets"]
        before = ok(shop.get("/service_tickets/1"))["ticket_mechanics"]
        present = {row["mechanic_id"] for row in before}

        edited = ok(shop.put(url, json={"add_ids": [1], "remove_ids": [2]}))

        assert edited["added_mechanics"] == [1]
        after = {row["mechanic_id"] for row in edited["ticket"]["ticket_mechanics"]}
        assert after == (present | {1}) - {2}
        again = ok(shop.put(url, json={"add_ids": [1], "remove_ids": [2]}))
        assert again["unchanged"] == [1, 2]

    def attach_a_part_to_a_ticket(self, shop: httpx.Client) -> None:
        before = ok(shop.get("/inventory/1"))

        added = ok(shop.post("/service_tickets/1/add-part/1"), 201)

        assert added["quantity_used"] == 1
        assert added["remaining_stock"] == before["quantity_in_stock"] - 1
        exact = before["current_cost_cents"] * 130
        assert added["total_cost_cents"] == (exact + 50) // 100
        assert shop.post("/service_tickets/1/add-part/1").status_code == 409

    def keep_the_inventory(self, shop: httpx.Client) -> None:
        part = ok(
            shop.post("/inventory/", json={"name": "Oil Filter", "price": 14.99}), 201
        )
        assert part["current_cost_cents"] == 1_499
        assert part["part_number"]
        assert part["category"] == "General"
        url = f"/inventory/{part['part_id']}"
        changed = ok(shop.put(url, json={"name": "Oil Filter XL", "price": 16.5}))
        assert (changed["price"], changed["current_cost_cents"]) == (16.5, 1_650)
        found = ok(shop.get("/inventory/?search=Oil Filter XL"))["parts"]
        assert [row["part_id"] for row in found] == [part["part_id"]]
        ok(shop.delete(url), 204)
        assert shop.get(url).status_code == 404

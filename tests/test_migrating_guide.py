"""What docs/migrating.md says of clients of the two systems."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.services import assign_mechanic
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

RANKINGS = ["by-activity", "top", "leaderboard"]


@pytest.fixture
def ticket(owner: User) -> ServiceTicket:
    ticket = TicketFactory.create()
    assign_mechanic(ticket=ticket, mechanic=MechanicFactory.create(), by=owner)
    return ticket


class TestSystemA:
    def test_assignment_names_its_ticket(
        self, shop: APIClient, ticket: ServiceTicket
    ) -> None:
        for path in ("service-tickets", f"service-tickets/{ticket.pk}"):
            data = shop.get(f"/api/{path}").json()
            [row] = data.get("service_tickets", [data])

            assert row["ticket_mechanics"][0]["ticket_id"] == ticket.pk

    def test_line_items_sent_back_are_ignored(
        self, shop: APIClient, ticket: ServiceTicket
    ) -> None:
        path = f"/api/service-tickets/{ticket.pk}"
        body = {**shop.get(path).json(), "ticket_line_items": [{"line_item_id": 1}]}

        response = shop.put(path, {**body, "priority": 1})

        assert (response.status_code, response.data["priority"]) == (200, 1)
        assert "ticket_line_items" not in response.data

    @pytest.mark.parametrize("ranking", RANKINGS)
    def test_rankings_have_four_fields_and_everybody(
        self, shop: APIClient, ticket: ServiceTicket, ranking: str
    ) -> None:
        idle = MechanicFactory.create(is_active=False)

        rows = shop.get(f"/api/mechanics/{ranking}").json()

        fields = {"mechanic_id", "full_name", "is_active", "ticket_count"}
        assert [set(row) for row in rows] == [fields, fields]
        assert rows[-1]["mechanic_id"] == idle.pk
        assert rows[-1]["ticket_count"] == 0

    def test_page_that_is_no_number_is_a_400(self, shop: APIClient) -> None:
        assert shop.get("/api/customers?page=abc").status_code == 400

    def test_empty_list_has_one_page(self, shop: APIClient) -> None:
        assert shop.get("/api/customers").json()["pagination"]["total_pages"] == 1

    @pytest.mark.parametrize("token", ["x", "a.b.c", ""])
    def test_malformed_token_is_a_401(self, anonymous: APIClient, token: str) -> None:
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

        assert anonymous.get("/api/customers").status_code == 401

    def test_edit_with_one_wrong_id_changes_nothing(
        self, shop: APIClient, ticket: ServiceTicket
    ) -> None:
        body = {"add_ids": [MechanicFactory.create().pk, 999], "remove_ids": []}

        response = shop.put(f"/api/service-tickets/{ticket.pk}/edit", body)

        assert response.status_code == 400
        assert "errors" not in response.data
        assert ticket.ticket_mechanics.count() == 1


class TestSystemB:
    @pytest.mark.parametrize(
        "path", ["customers", "inventory", "service_tickets", "mechanics/top"]
    )
    def test_nothing_is_read_without_a_token(
        self, anonymous: APIClient, path: str
    ) -> None:
        assert anonymous.get(f"/api/{path}").status_code == 401

    def test_names_of_parts_need_not_differ(self, shop: APIClient) -> None:
        body: dict[str, Any] = {"name": "Brake pad", "price": 15.65}

        for _ in range(2):
            assert shop.post("/api/inventory", body).status_code == 201

    def test_inventory_is_by_id_ten_a_page(self, shop: APIClient) -> None:
        for number in range(11, 0, -1):
            PartFactory.create(part_number=f"P-{number:02}", name=f"Part {number}")

        rows = shop.get("/api/inventory").json()["parts"]

        assert len(rows) == 10
        assert rows == sorted(rows, key=lambda row: row["part_id"])

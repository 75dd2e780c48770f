from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

FIELDS = ["mechanic_id", "full_name", "is_active", "ticket_count"]
RANKINGS = ["by-activity", "top", "leaderboard"]


def worked_on(tickets: int, *, closed: int = 0, **details: Any) -> Mechanic:
    """Make a mechanic who is on so many tickets, ``closed`` of them completed."""
    mechanic = MechanicFactory.create(**details)
    for number in range(tickets):
        ticket = TicketFactory.create(closed=number < closed)
        ticket.ticket_mechanics.create(mechanic=mechanic, minutes_worked=number)
    return mechanic


def ranked(client: APIClient, path: str = "by-activity", **query: Any) -> list[Any]:
    answer = client.get(f"/api/mechanics/{path}", query)
    assert answer.status_code == 200, answer.data
    return [row["mechanic_id"] for row in answer.data]


class TestByActivity:
    def test_puts_the_busiest_first_and_ties_by_id(self, shop: APIClient) -> None:
        idle, some, most, same = (worked_on(tickets) for tickets in (0, 1, 2, 1))

        assert ranked(shop) == [most.pk, some.pk, same.pk, idle.pk]
        assert ranked(shop, order="desc") == ranked(shop)

    def test_puts_the_idlest_first_and_ties_by_id(self, shop: APIClient) -> None:
        idle, some, most, same = (worked_on(tickets) for tickets in (0, 1, 2, 1))

        assert ranked(shop, order="asc") == [idle.pk, some.pk, same.pk, most.pk]

    def test_counts_tickets_whatever_their_status(self, shop: APIClient) -> None:
        mechanic = worked_on(3, closed=2, full_name="Sam")

        answer = shop.get("/api/mechanics/by-activity/")

        assert answer.data == [
            {
                "mechanic_id": mechanic.pk,
                "full_name": "Sam",
                "is_active": True,
                "ticket_count": 3,
            }
        ]

    def test_leaves_out_who_is_inactive_only_when_asked(self, shop: APIClient) -> None:
        gone, here = worked_on(1, is_active=False), worked_on(0)

        assert ranked(shop, active_only="true") == [here.pk]
        assert ranked(shop, active_only="false") == [gone.pk, here.pk]
        assert ranked(shop) == [gone.pk, here.pk]

    def test_is_a_plain_array_of_everybody(self, shop: APIClient) -> None:
        Mechanic.objects.bulk_create(MechanicFactory.build_batch(120))

        assert len(ranked(shop)) == 120

    @pytest.mark.parametrize(
        ("name", "value"),
        [("order", "up"), ("order", "DESC;"), ("active_only", "maybe")],
    )
    def test_refuses_a_bad_value(self, shop: APIClient, name: str, value: str) -> None:
        answer = shop.get("/api/mechanics/by-activity", {name: value})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {name}


class TestTop:
    @pytest.mark.parametrize("path", ["top", "leaderboard", "top/", "leaderboard/"])
    def test_names_the_busiest_up_to_a_limit(self, shop: APIClient, path: str) -> None:
        idle, some, most, same = (worked_on(tickets) for tickets in (0, 1, 2, 1))

        assert ranked(shop, path, limit=3) == [most.pk, some.pk, same.pk]
        assert ranked(shop, path, limit=100)[-1] == idle.pk

    @pytest.mark.parametrize("path", ["top", "leaderboard"])
    def test_names_fifty_by_default(self, shop: APIClient, path: str) -> None:
        Mechanic.objects.bulk_create(MechanicFactory.build_batch(101))

        assert len(ranked(shop, path)) == 50
        assert len(ranked(shop, path, limit=1)) == 1
        assert len(ranked(shop, path, limit=100)) == 100

    @pytest.mark.parametrize("path", ["top", "leaderboard"])
    @pytest.mark.parametrize("limit", ["0", "101", "-1", "2.9", "x", "1" + "0" * 30])
    def test_refuses_a_bad_limit(self, shop: APIClient, path: str, limit: str) -> None:
        answer = shop.get(f"/api/mechanics/{path}", {"limit": limit})

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"limit"}

    def test_includes_who_is_inactive(self, shop: APIClient) -> None:
        gone = worked_on(1, is_active=False)

        assert ranked(shop, "top") == [gone.pk]


class TestRanking:
    @pytest.mark.parametrize("path", RANKINGS)
    def test_is_one_aggregate_query_for_any_number_of_rows(
        self, shop: APIClient, path: str
    ) -> None:
        for tickets in (0, 1, 2, 3):
            worked_on(tickets)

        with CaptureQueriesContext(connection) as queries:
            ranked(shop, path)

        assert len(queries) == 2  # the session and the ranking
        assert "COUNT(" in queries[1]["sql"].upper()

    @pytest.mark.parametrize("path", RANKINGS)
    def test_shows_public_fields_to_everybody_who_is_signed_in(
        self, path: str, shop: APIClient, client_of: Callable[[User], APIClient]
    ) -> None:
        worked_on(1)

        for client in (shop, client_of(UserFactory.create())):
            (row,) = client.get(f"/api/mechanics/{path}").data
            assert list(row) == FIELDS

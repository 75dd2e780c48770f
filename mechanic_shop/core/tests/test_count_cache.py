"""Totals of long lists are counted every half minute, those of short ones each time."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import caches
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.core import count_cache
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.services import assign_mechanic
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(client_of: Any, owner: User) -> APIClient:
    client: APIClient = client_of(owner)
    return client


@pytest.fixture
def long_from_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_cache, "EXACT_UP_TO", 2)
    monkeypatch.setattr(count_cache, "_long", set())


def total_of(client: APIClient, query: str = "") -> int:
    answer = client.get(f"/api/customers{query}")
    assert answer.status_code == 200
    total: int = answer.json()["pagination"]["total_customers"]
    return total


class TestShortList:
    def test_is_counted_for_every_answer(self, shop: APIClient) -> None:
        for number in range(1, 4):
            CustomerFactory.create(walk_in=True)
            assert total_of(shop) == number

    def test_may_be_as_long_as_promised(self) -> None:
        assert count_cache.EXACT_UP_TO == 100_000
        assert count_cache.KEEP_SECONDS == 30


@pytest.mark.usefixtures("long_from_three")
class TestLongList:
    def test_is_counted_once_in_a_while(self, shop: APIClient) -> None:
        CustomerFactory.create_batch(3, walk_in=True)
        assert total_of(shop) == 3

        CustomerFactory.create(walk_in=True)

        assert total_of(shop, "?page=1&per_page=2") == 3
        caches["process"].clear()
        assert total_of(shop) == 4

    def test_shows_the_rows_as_they_are(self, shop: APIClient) -> None:
        first, *_ = CustomerFactory.create_batch(3, walk_in=True)
        total_of(shop)

        Customer.objects.filter(pk=first.pk).update(last_name="Šimić")
        CustomerFactory.create(walk_in=True)

        answer = shop.get("/api/customers").json()
        assert answer["customers"][0]["last_name"] == "Šimić"
        assert len(answer["customers"]) == 4

    def test_is_never_said_to_be_shorter_than_what_is_shown(
        self, shop: APIClient
    ) -> None:
        CustomerFactory.create_batch(3, walk_in=True)
        total_of(shop)

        CustomerFactory.create(walk_in=True)

        assert total_of(shop, "?per_page=100") == 4
        assert total_of(shop, "?page=2&per_page=3") == 4

    def test_has_a_total_for_each_set_of_rows(self, shop: APIClient) -> None:
        CustomerFactory.create_batch(3, walk_in=True, last_name="Lee")
        CustomerFactory.create_batch(4, walk_in=True, last_name="Kim")

        assert total_of(shop) == 7
        assert total_of(shop, "?search=Kim") == 4
        assert total_of(shop, "?search=Lee") == 3

    def test_ends_where_its_rows_end(self, shop: APIClient) -> None:
        CustomerFactory.create_batch(3, walk_in=True)
        total_of(shop)
        last = Customer.objects.order_by("pk").last()
        assert last is not None
        last.delete()

        assert shop.get("/api/customers?page=3&per_page=1").status_code == 404


@pytest.mark.usefixtures("long_from_three")
class TestRanking:
    def test_counts_many_assignments_once_in_a_while(
        self, shop: APIClient, owner: User
    ) -> None:
        busy, idle = MechanicFactory.create_batch(2)
        for _ in range(3):
            assign_mechanic(ticket=TicketFactory.create(), mechanic=busy, by=owner)
        assert ranking(shop) == [(busy.pk, 3), (idle.pk, 0)]

        assign_mechanic(ticket=TicketFactory.create(), mechanic=idle, by=owner)
        newest = MechanicFactory.create()
        Mechanic.objects.filter(pk=idle.pk).update(full_name="Renamed")

        assert ranking(shop) == [(busy.pk, 3), (idle.pk, 0), (newest.pk, 0)]
        assert "Renamed" in shop.get("/api/mechanics/by-activity").content.decode()
        caches["process"].clear()
        assert ranking(shop) == [(busy.pk, 3), (idle.pk, 1), (newest.pk, 0)]


def ranking(client: APIClient) -> list[tuple[int, int]]:
    rows = client.get("/api/mechanics/by-activity?active_only=false").json()
    return [(row["mechanic_id"], row["ticket_count"]) for row in rows]

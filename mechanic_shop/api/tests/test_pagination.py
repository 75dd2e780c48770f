"""Lists that can grow come in pages, each with the block that clients read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.models import Part
from inventory.services import adjust_stock
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from tickets.services import add_note
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


def five_customers(owner: User) -> str:
    CustomerFactory.create_batch(5, walk_in=True)
    return "/api/customers"


def five_vehicles(owner: User) -> str:
    VehicleFactory.create_batch(5)
    return "/api/vehicles"


def five_tickets(owner: User) -> str:
    TicketFactory.create_batch(5)
    return "/api/service-tickets"


def five_tickets_of_one(owner: User) -> str:
    vehicle = VehicleFactory.create()
    TicketFactory.create_batch(5, vehicle=vehicle)
    return f"/api/customers/{vehicle.customer_id}/service-tickets"


def five_tickets_of_my_own(owner: User) -> str:
    vehicle = VehicleFactory.create(customer=CustomerFactory.create(user=owner))
    TicketFactory.create_batch(5, vehicle=vehicle)
    TicketFactory.create()
    return "/api/customers/my-tickets"


def five_parts(owner: User) -> str:
    PartFactory.create_batch(5)
    return "/api/inventory"


def five_movements(owner: User) -> str:
    part = PartFactory.create(quantity_in_stock=1)
    for _ in range(4):
        adjust_stock(part=part, adjustment=1, by=owner)
    return f"/api/inventory/{part.pk}/movements"


def five_events(owner: User) -> str:
    ticket = TicketFactory.create()
    for n in range(5):
        add_note(ticket=ticket, by=owner, text=f"{n}", visible_to_customer=False)
    return f"/api/service-tickets/{ticket.pk}/events"


#: How to fill each list with five rows, its key, the id in it, newest first or not.
LISTS = [
    (five_customers, "customers", "customer_id", False),
    (five_vehicles, "vehicles", "vehicle_id", False),
    (five_tickets, "service_tickets", "ticket_id", True),
    (five_tickets_of_one, "service_tickets", "ticket_id", True),
    (five_tickets_of_my_own, "service_tickets", "ticket_id", True),
    (five_parts, "parts", "part_id", False),
    (five_movements, "movements", "movement_id", True),
    (five_events, "events", "event_id", True),
]
every_list = pytest.mark.parametrize(("fill", "key", "id_name", "newest_first"), LISTS)


class TestPagination:
    @every_list
    def test_describes_the_page_in_the_middle(
        self,
        shop: APIClient,
        owner: User,
        fill: Callable[[User], str],
        key: str,
        id_name: str,
        newest_first: bool,
    ) -> None:
        path = fill(owner)

        body = shop.get(path, {"page": 2, "per_page": 2}).json()

        assert set(body) == {key, "pagination"}
        assert len(body[key]) == 2
        assert body["pagination"] == {
            "page": 2,
            "per_page": 2,
            f"total_{key}": 5,
            "total_pages": 3,
            "has_next": True,
            "has_prev": True,
        }

    @every_list
    def test_shows_every_row_once_and_in_order(
        self,
        shop: APIClient,
        owner: User,
        fill: Callable[[User], str],
        key: str,
        id_name: str,
        newest_first: bool,
    ) -> None:
        path = fill(owner)

        pages = [shop.get(path, {"page": n, "per_page": 2}).json() for n in (1, 2, 3)]

        ids = [row[id_name] for page in pages for row in page[key]]
        assert ids == sorted(set(ids), reverse=newest_first)
        assert len(ids) == 5

    @every_list
    def test_asks_no_more_queries_for_more_rows(
        self,
        shop: APIClient,
        owner: User,
        fill: Callable[[User], str],
        key: str,
        id_name: str,
        newest_first: bool,
    ) -> None:
        path = fill(owner)
        counts = []

        for size in (1, 5):
            with CaptureQueriesContext(connection) as queries:
                shown = shop.get(path, {"per_page": size}).json()[key]
            counts.append(len(queries))
            assert len(shown) == size

        assert counts[0] == counts[1]

    def test_has_ten_rows_on_a_page_unless_told_otherwise(
        self, shop: APIClient
    ) -> None:
        CustomerFactory.create_batch(11, walk_in=True)

        body = shop.get("/api/customers").json()

        assert len(body["customers"]) == 10
        assert body["pagination"] == {
            "page": 1,
            "per_page": 10,
            "total_customers": 11,
            "total_pages": 2,
            "has_next": True,
            "has_prev": False,
        }

    def test_has_a_last_page(self, shop: APIClient) -> None:
        CustomerFactory.create_batch(3, walk_in=True)

        pagination = shop.get("/api/customers?page=2&per_page=2").json()["pagination"]

        assert (pagination["has_next"], pagination["has_prev"]) == (False, True)

    def test_shows_an_empty_first_page_of_nothing(self, shop: APIClient) -> None:
        response = shop.get("/api/customers")

        assert response.status_code == 200
        assert response.json()["customers"] == []
        assert response.json()["pagination"]["total_customers"] == 0

    def test_takes_a_hundred_rows_a_page(self, shop: APIClient) -> None:
        response = shop.get("/api/customers", {"per_page": "100"})

        assert response.status_code == 200
        assert response.json()["pagination"]["per_page"] == 100

    @pytest.mark.parametrize("name", ["page", "per_page"])
    @pytest.mark.parametrize(
        "value", ["0", "-1", "1.0", "x", "", " ", "+1", "1e1", "0x1", "١", "²", "\x00"]
    )
    def test_refuses_what_is_no_positive_integer(
        self, shop: APIClient, name: str, value: str
    ) -> None:
        response = shop.get("/api/customers", {name: value})

        assert response.status_code == 400
        assert list(response.json()["fields"]) == [name]

    @pytest.mark.parametrize("value", ["101", "1000000000", str(10**30)])
    def test_refuses_more_than_a_hundred_rows_a_page(
        self, shop: APIClient, value: str
    ) -> None:
        response = shop.get("/api/customers", {"per_page": value})

        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["per_page"]

    @pytest.mark.parametrize("page", ["2", "999999999", "9999999999", str(10**30)])
    def test_has_nothing_behind_the_last_page(self, shop: APIClient, page: str) -> None:
        CustomerFactory.create(walk_in=True)

        response = shop.get("/api/customers", {"page": page})

        assert response.status_code == 404
        assert response.json()["code"] == "not_found"

    @pytest.mark.parametrize("ordering", ["category", "-category", "quantity_in_stock"])
    def test_never_shows_equal_rows_on_two_pages(
        self, shop: APIClient, ordering: str
    ) -> None:
        PartFactory.create_batch(5)
        query: dict[str, Any] = {"ordering": ordering, "per_page": 2}

        pages = [shop.get("/api/inventory", {**query, "page": n}) for n in (1, 2, 3)]

        ids = [row["part_id"] for page in pages for row in page.json()["parts"]]
        wanted = Part.objects.order_by("pk").values_list("pk", flat=True)
        assert ids == list(wanted)[:: -1 if ordering.startswith("-") else 1]

    def test_counts_only_what_the_caller_may_see(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        customer, _ = CustomerFactory.create(), CustomerFactory.create()
        assert customer.user is not None

        body = client_of(customer.user).get("/api/customers").json()

        assert [row["customer_id"] for row in body["customers"]] == [customer.pk]
        assert body["pagination"]["total_customers"] == 1
        assert Customer.objects.count() == 2


class TestPlainList:
    @pytest.mark.parametrize(
        "path",
        [
            "/api/mechanics",
            "/api/mechanics/by-activity",
            "/api/mechanics/top",
            "/api/mechanics/leaderboard",
            "/api/customers/{}/vehicles",
        ],
    )
    def test_is_an_array_that_knows_no_pages(self, shop: APIClient, path: str) -> None:
        vehicle = VehicleFactory.create()

        response = shop.get(path.format(vehicle.customer_id), {"page": "x"})

        assert response.status_code == 200
        assert isinstance(response.json(), list)


class TestLatePage:
    """A condition beside the keys tempted MariaDB to read all rows that fulfil it."""

    @pytest.mark.parametrize(
        ("path", "table"),
        [
            ("/api/customers?per_page=1&page=2", "customers_customer"),
            ("/api/service-tickets?status=open", "tickets_serviceticket"),
        ],
    )
    def test_asks_for_its_keys_and_nothing_else(
        self, shop: APIClient, path: str, table: str
    ) -> None:
        TicketFactory.create_batch(2)

        with CaptureQueriesContext(connection) as queries:
            answer = shop.get(path)

        (sql,) = [q["sql"] for q in queries if "total_count" in q["sql"]]
        plain = re.sub('[`"]', "", sql)
        conditions = re.findall(rf"(?:WHERE|AND) \(*{table}\.(\w+) (\w+)", plain)
        assert answer.status_code == 200
        assert conditions == [("id", "IN")]

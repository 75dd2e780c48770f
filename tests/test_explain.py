"""MariaDB and MySQL find pages by an index, and skip rows in the index alone.

Without enough rows a database reads the whole table, since that is faster. So these
tests fill the shop first, and let the database count what it has.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from customers.models import Customer, Vehicle
from inventory.models import Part
from mechanic_shop.accounts.models import User
from tickets.models import ServiceTicket

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "mysql", reason="SQLite explains itself in other words"
    ),
]

ROWS = 3_000
TABLES = [model._meta.db_table for model in (Customer, Vehicle, ServiceTicket, Part)]
STATUSES = ServiceTicket.Status.values

Plan = list[dict[str, Any]]


@pytest.fixture
def shop(client_of: Any, owner: User) -> APIClient:
    Customer.objects.bulk_create(
        Customer(first_name="Ann", last_name=f"Lee {n}", phone="1") for n in range(ROWS)
    )
    customers = list(Customer.objects.order_by("pk"))
    Vehicle.objects.bulk_create(
        Vehicle(customer=customer, vin=f"{n:017}", make="Ford", model="Ka", year=2009)
        for n, customer in enumerate(customers)
    )
    vehicles = Vehicle.objects.order_by("pk")
    now = timezone.now()
    ServiceTicket.objects.bulk_create(
        ServiceTicket(
            vehicle=vehicle,
            customer_id=vehicle.customer_id,
            status=(status := STATUSES[n % len(STATUSES)]),
            closed_at=now if status in ServiceTicket.CLOSED else None,
            problem_description="It rattles.",
            odometer_miles=1,
            opened_at=now - timedelta(minutes=n),
        )
        for n, vehicle in enumerate(vehicles)
    )
    Part.objects.bulk_create(
        Part(
            part_number=f"P-{n}",
            name="Filter",
            current_cost_cents=1,
            quantity_in_stock=n % 50,
        )
        for n in range(ROWS)
    )
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ANALYZE TABLE {table}")
            cursor.fetchall()
    client: APIClient = client_of(owner)
    return client


def plan_of(shop: APIClient, path: str) -> Plan:
    """Explain the query behind an answer: its rows, by the names MySQL gives them."""
    with CaptureQueriesContext(connection) as queries:
        answer = shop.get(path)
    assert answer.status_code == 200
    [page] = [q["sql"] for q in queries if "total_count" in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {page}")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def reads(plan: Plan) -> Plan:
    """Return the steps that read a table of the shop, not what was made of one."""
    return [step for step in plan if not str(step["table"]).startswith("<")]


LISTS = [
    ("/api/service-tickets", "ticket_newest_first"),
    ("/api/service-tickets?status=in_progress", "ticket_status_newest"),
    ("/api/service-tickets?status=completed", "ticket_status_newest"),
    ("/api/customers", "customer_erased_at"),
    ("/api/inventory", None),
    ("/api/inventory?low_stock=true", "part_low"),
]


class TestPage:
    @pytest.mark.parametrize("page", [1, 20])
    @pytest.mark.parametrize(("path", "index"), LISTS)
    def test_is_found_by_an_index(
        self, shop: APIClient, path: str, index: str | None, page: int
    ) -> None:
        joint = "&" if "?" in path else "?"

        plan = plan_of(shop, f"{path}{joint}page={page}")

        assert all(step["key"] for step in reads(plan)), plan
        assert index is None or index in {step["key"] for step in reads(plan)}, plan

    @pytest.mark.parametrize(("path", "index"), LISTS)
    def test_skips_rows_in_the_index_alone(
        self, shop: APIClient, path: str, index: str | None
    ) -> None:
        joint = "&" if "?" in path else "?"

        plan = plan_of(shop, f"{path}{joint}page=20")

        # Whatever reads more than the ten rows of the page reads nothing but an index.
        long = [step for step in reads(plan) if int(step["rows"] or 0) > 10]
        assert long
        assert all("Using index" in step["Extra"] for step in long), plan
        assert not any("filesort" in step["Extra"] for step in long), plan

"""A filter that is repeated matches any of its values, or is refused."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from customers.tests.factories import CustomerFactory
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket, TicketMechanic
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

Status = ServiceTicket.Status
URL = "/api/service-tickets"
ONCE = [
    ("/api/customers", "search"),
    ("/api/customers", "updated_after"),
    ("/api/inventory", "is_active"),
    ("/api/inventory", "category"),
    ("/api/vehicles", "vin"),
]


def found(shop: APIClient, query: str) -> set[int]:
    response = shop.get(f"{URL}?{query}&per_page=100")
    assert response.status_code == 200
    ids = [row["ticket_id"] for row in response.json()["service_tickets"]]
    assert len(ids) == len(set(ids))
    return set(ids)


class TestRepeatedFilter:
    @pytest.mark.parametrize(
        "query",
        [
            "status=open&status=waiting",
            "status=waiting&status=open",
            "status=open,waiting&status=open",
            "status=&status=open&status=waiting",
        ],
    )
    def test_finds_tickets_of_each_status(self, shop: APIClient, query: str) -> None:
        started = [Status.OPEN, Status.WAITING, Status.IN_PROGRESS]
        tickets = [TicketFactory.create(status=status).pk for status in started]

        assert found(shop, query) == set(tickets[:2])

    @pytest.mark.parametrize("name", ["customer_id", "vehicle_id", "priority"])
    def test_finds_tickets_of_each_number(self, shop: APIClient, name: str) -> None:
        tickets = [TicketFactory.create(priority=number) for number in (1, 2, 3)]
        first, second = (getattr(ticket, name) for ticket in tickets[:2])

        query = f"{name}={first}&{name}={second}&{name}={second}"

        assert found(shop, query) == {tickets[0].pk, tickets[1].pk}

    def test_finds_tickets_of_each_mechanic_once(self, shop: APIClient) -> None:
        mechanics = MechanicFactory.create_batch(3)
        both, one, other = TicketFactory.create_batch(3)
        pairs = [(both, 0), (both, 1), (one, 1), (other, 2)]
        TicketMechanic.objects.bulk_create(
            TicketMechanic(ticket=ticket, mechanic=mechanics[number])
            for ticket, number in pairs
        )

        query = "&".join(f"mechanic_id={row.pk}" for row in mechanics[:2])

        assert found(shop, query) == {both.pk, one.pk}

    def test_orders_by_each_field(self, shop: APIClient) -> None:
        for name, email in (("B", "1@x.org"), ("A", "2@x.org"), ("B", "0@x.org")):
            CustomerFactory.create(last_name=name, email=email, user=None)

        rows = [
            shop.get(f"/api/customers?{query}").json()["customers"]
            for query in (
                "ordering=last_name&ordering=email",
                "ordering=last_name,email",
            )
        ]

        assert rows[0] == rows[1]
        assert [row["email"][0] for row in rows[0]] == ["2", "0", "1"]

    @pytest.mark.parametrize(
        ("name", "value"), [("status", "broken"), ("priority", "9")]
    )
    def test_is_refused_for_any_bad_value(
        self, shop: APIClient, name: str, value: str
    ) -> None:
        response = shop.get(f"{URL}?{name}={value}&{name}=1")

        assert response.status_code == 400
        assert list(response.json()["fields"]) == [name]

    def test_is_refused_with_very_many_values(self, shop: APIClient) -> None:
        query = "&".join(f"customer_id={number}" for number in range(1, 400))

        response = shop.get(f"{URL}?{query}")

        assert response.json()["fields"] == {"customer_id": ["Send at most 20 values."]}

    @pytest.mark.parametrize(("path", "name"), ONCE)
    def test_is_refused_where_one_value_is_taken(
        self, shop: APIClient, path: str, name: str
    ) -> None:
        response = shop.get(f"{path}?{name}=true&{name}=false")

        assert response.status_code == 400
        assert response.json()["fields"] == {name: ["Send this parameter once."]}

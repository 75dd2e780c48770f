from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries
from rest_framework.test import APIClient

from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.services import assign_mechanic, install_part
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

URL = "/api/service-tickets"


def ids(client: APIClient, url: str) -> list[int]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.content
    return [ticket["ticket_id"] for ticket in answer.json()["service_tickets"]]


class TestListTickets:
    def test_shows_the_newest_first(self, shop: APIClient) -> None:
        now = timezone.now()
        old = TicketFactory.create(opened_at=now - timedelta(days=1))
        twins = [TicketFactory.create(opened_at=now) for _ in range(2)]

        assert ids(shop, URL) == [twins[1].pk, twins[0].pk, old.pk]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("status=open", ["open"]),
            ("status=open,completed", ["open", "completed"]),
            ("status=waiting", []),
            ("priority=1", ["completed"]),
            ("search=gearbox", ["completed"]),
            ("search=1hgcm8", ["open"]),
            ("opened_after=2020-01-01T00:00:00Z", ["open", "completed"]),
            ("opened_before=2020-01-01T00:00:00Z", []),
            ("updated_after=2020-01-01T00:00:00Z", ["open", "completed"]),
            ("unknown=1", ["open", "completed"]),
        ],
    )
    def test_filters(self, shop: APIClient, query: str, expected: list[str]) -> None:
        TicketFactory.create(
            vehicle=VehicleFactory.create(vin="1HGCM82633A004352"), priority=3
        )
        TicketFactory.create(
            closed=True, priority=1, problem_description="The gearbox whines."
        )

        answer = shop.get(f"{URL}?{query}&ordering=-status").json()

        found = [ticket["status"] for ticket in answer["service_tickets"]]
        assert found == sorted(expected, reverse=True)

    @pytest.mark.parametrize(
        "query",
        [
            "status=done",
            "priority=0",
            "priority=x",
            "customer_id=x",
            "vehicle_id=1.5",
            "mechanic_id=you",
            "opened_after=yesterday",
            "ordering=salary",
            "page=0",
            "page=٣",
            "per_page=101",
        ],
    )
    def test_names_a_bad_value(self, shop: APIClient, query: str) -> None:
        answer = shop.get(f"{URL}?{query}")

        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == [query.split("=")[0]]

    def test_knows_a_mechanics_own_work(
        self, client_of: Callable[[User], APIClient], owner: User
    ) -> None:
        mine, _ = TicketFactory.create(), TicketFactory.create()
        mechanic = MechanicFactory.create(user=owner)
        assign_mechanic(ticket=mine, mechanic=mechanic, by=owner)

        assert ids(client_of(owner), f"{URL}?mechanic_id=me") == [mine.pk]
        assert ids(client_of(owner), f"{URL}?mechanic_id={mechanic.pk}") == [mine.pk]

    def test_shows_customers_only_their_own(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        ticket, foreign = TicketFactory.create(), TicketFactory.create()
        assert ticket.customer.user is not None
        client = client_of(ticket.customer.user)

        assert ids(client, URL) == [ticket.pk]
        assert ids(client, "/api/customers/my-tickets/") == [ticket.pk]
        own = f"/api/customers/{ticket.customer_id}/service_tickets"
        assert ids(client, own) == [ticket.pk]
        assert client.get(f"{URL}/{foreign.pk}").status_code == 404
        strangers = f"/api/customers/{foreign.customer_id}/service-tickets"
        assert client.get(strangers).status_code == 404

    def test_hides_from_customers_what_parts_cost_the_shop(
        self, client_of: Callable[[User], APIClient], owner: User
    ) -> None:
        ticket = TicketFactory.create()
        install_part(
            ticket=ticket, part=PartFactory.create(), quantity_used=1, by=owner
        )
        assert ticket.customer.user is not None

        line = (
            client_of(ticket.customer.user)
            .get(f"{URL}/{ticket.pk}")
            .json()["ticket_parts"][0]
        )

        assert line["total_cost_cents"] == 5_850
        assert not {"unit_cost_cents", "markup_percentage"} & line.keys()

    def test_shows_the_callers_own_as_my_tickets_to_staff_too(
        self, shop: APIClient, owner: User
    ) -> None:
        TicketFactory.create()
        assert ids(shop, "/api/customers/my-tickets") == []
        mine = TicketFactory.create(
            vehicle=VehicleFactory.create(customer=CustomerFactory.create(user=owner))
        )

        assert ids(shop, "/api/customers/my-tickets") == [mine.pk]


class TestQueries:
    @pytest.mark.parametrize(
        "url", [URL, "/api/customers/my-tickets", f"{URL}?search=rattles"]
    )
    def test_do_not_grow_with_the_rows(
        self,
        client_of: Callable[[User], APIClient],
        owner: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
        url: str,
    ) -> None:
        customer = CustomerFactory.create()
        assert customer.user is not None
        for _ in range(12):
            ticket = TicketFactory.create(
                vehicle=VehicleFactory.create(customer=customer)
            )
            assign_mechanic(ticket=ticket, mechanic=MechanicFactory.create(), by=owner)
            install_part(
                ticket=ticket, part=PartFactory.create(), quantity_used=1, by=owner
            )
        client = client_of(customer.user)

        # Session, permissions (2), count, tickets, mechanics, parts.
        with django_assert_max_num_queries(7):
            assert len(ids(client, f"{url}{'&' if '?' in url else '?'}per_page=50"))

        assert ServiceTicket.objects.count() == 12

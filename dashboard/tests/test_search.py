"""Finding things: a few of each kind, and nothing that somebody may not view."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.services import delete_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.services import add_part
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from mechanic_shop.admin.search import MAX_RESULTS
from mechanics.tests.factories import MechanicFactory
from tests.support.back_office import browser_of, make_part, page_of, text_of
from tickets.models import ServiceTicket
from tickets.services import assign_mechanic, open_ticket

pytestmark = pytest.mark.django_db

SEARCH = reverse("admin:search")


@pytest.fixture
def advisor() -> User:
    return user_in(SERVICE_ADVISOR)


@pytest.fixture
def desk(advisor: User) -> Client:
    return browser_of(advisor)


@pytest.fixture
def ticket(advisor: User) -> ServiceTicket:
    customer = CustomerFactory.create(
        first_name="Ada",
        last_name="Lovelace",
        email="ada@engine.test",
        phone="(541) 555-0109",
    )
    vehicle = VehicleFactory.create(
        customer=customer,
        vin="1HGCM82633A004352",
        license_plate="ABC-123",
        make="Honda",
        year=2003,
    )
    return open_ticket(
        vehicle=vehicle,
        by=advisor,
        problem_description="Squeaks at low speed",
        odometer_miles=1,
    )


def found(client: Client, term: str) -> list[Any]:
    answer = client.get(SEARCH, {"s": term, "extended": "1"})
    assert answer.status_code == 200
    results: list[Any] = answer.context["results"]
    return results


def links(client: Client, term: str) -> list[str]:
    return [result.link for result in found(client, term)]


class TestSearch:
    @pytest.mark.parametrize("term", ["squeaks", "LOW SPEED"])
    def test_finds_tickets_by_their_problem(
        self, desk: Client, ticket: ServiceTicket, term: str
    ) -> None:
        assert links(desk, term) == [page_of(ticket)]

    @pytest.mark.parametrize("spelling", ["{}", "#{}", "ticket {}", "Ticket{}"])
    def test_finds_a_ticket_by_its_number_first(
        self, desk: Client, ticket: ServiceTicket, advisor: User, spelling: str
    ) -> None:
        open_ticket(
            vehicle=VehicleFactory.create(),
            by=advisor,
            problem_description=f"See {ticket.pk}",
            odometer_miles=1,
        )

        assert links(desk, spelling.format(ticket.pk))[0] == page_of(ticket)

    @pytest.mark.parametrize(
        "term",
        [
            "lovelace",
            "ada love",
            "Lovelace Ada",
            "ada@engine",
            "555-0109",
            "5415550109",
            "541 555 0109",
        ],
    )
    def test_finds_customers(
        self, desk: Client, ticket: ServiceTicket, term: str
    ) -> None:
        assert page_of(ticket.customer) in links(desk, term)

    @pytest.mark.parametrize("term", ["004352", "3a004352", "abc123", "ABC-1", "honda"])
    def test_finds_vehicles(
        self, desk: Client, ticket: ServiceTicket, term: str
    ) -> None:
        assert page_of(ticket.vehicle) in links(desk, term)

    @pytest.mark.parametrize("term", ["brk-1", "brake", "pad brake"])
    def test_finds_parts(self, desk: Client, advisor: User, term: str) -> None:
        part = make_part(advisor, "BRK-1", stock=3)

        [result] = found(desk, term)

        assert result.link == page_of(part)
        assert result.description == "3 in stock · to be ordered"

    def test_tells_each_result_from_the_others(
        self, desk: Client, ticket: ServiceTicket
    ) -> None:
        told = {r.title: r.description for r in found(desk, "a")}

        number, car = f"Ticket {ticket.pk}", "2003 Honda Accord"
        assert told[number] == (
            f"Open · today · no mechanic · {car} · ABC-123 · Ada Lovelace"
            " · Squeaks at low speed"
        )
        assert told["Ada Lovelace"] == "(541) 555-0109 · ada@engine.test"
        assert told[car] == "ABC-123 · VIN …004352 · Ada Lovelace"

    @pytest.mark.parametrize("term", ["abc123", "541 555 0109", "Lovelace, Ada"])
    def test_answers_a_call_by_its_first_line(
        self, desk: Client, ticket: ServiceTicket, advisor: User, term: str
    ) -> None:
        closed = open_ticket(
            vehicle=ticket.vehicle,
            by=advisor,
            problem_description="Later, and done",
            odometer_miles=1,
        )
        ServiceTicket.objects.filter(pk=closed.pk).update(
            status="cancelled", closed_at=timezone.now()
        )
        ServiceTicket.objects.filter(pk=ticket.pk).update(
            status="waiting", opened_at=timezone.now() - timedelta(days=3)
        )
        assign_mechanic(
            ticket=ticket,
            mechanic=MechanicFactory.create(full_name="Émile Muñoz"),
            by=advisor,
        )

        first, second, *_ = found(desk, term)

        assert (first.link, second.link) == (page_of(ticket), page_of(closed))
        assert first.description.startswith("Waiting · 3 days · Émile Muñoz · 2003")
        assert second.description.startswith("Cancelled · today · no mechanic")

    @pytest.mark.parametrize("term", ["MUNOZ", "muñoz émile", "5415550199"])
    def test_finds_mechanics(self, desk: Client, term: str) -> None:
        row = MechanicFactory.create(full_name="Émile Muñoz", phone="541.555.0199")

        [result] = found(desk, term)

        assert result.link == page_of(row)
        assert result.description == "541.555.0199"

    def test_finds_the_pages_of_the_menu(self, desk: Client) -> None:
        assert reverse("admin:inventory_part_changelist") in links(desk, "part")
        assert links(desk, "sessions") == []

    def test_finds_nothing_that_the_person_may_not_view(
        self, ticket: ServiceTicket, advisor: User
    ) -> None:
        make_part(advisor, "ADA-1")
        nobody = browser_of(UserFactory.create(is_staff=True))

        for term in ("ada", "honda", "squeaks", str(ticket.pk), "Tickets"):
            assert found(nobody, term) == []

    def test_tells_no_name_beside_a_car_to_those_who_may_not_view_customers(
        self, ticket: ServiceTicket
    ) -> None:
        user = UserFactory.create(is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(codename__in=["view_vehicle", "view_part"])
        )

        [result] = found(browser_of(user), "honda")

        assert "Lovelace" not in result.description
        assert found(browser_of(user), "lovelace") == []

    def test_never_finds_the_erased_nor_remembers_them(
        self, desk: Client, advisor: User
    ) -> None:
        customer = CustomerFactory.create(last_name="Quux")
        assert len(found(desk, "quux")) == 1

        delete_customer(customer=customer)

        assert found(desk, "quux") == []

    def test_knows_no_salary(self) -> None:
        MechanicFactory.create(salary=54_321)

        assert found(browser_of(user_in(TECHNICIAN)), "54321") == []

    @pytest.mark.parametrize(
        "term", ["%", "_", "'", "\x00", "🔧", "9" * 400, "- -", "()", "#"]
    )
    def test_takes_anything_that_is_typed(self, desk: Client, term: str) -> None:
        found(desk, term)

    @pytest.mark.parametrize("query", [{}, {"s": ""}, {"s": "  "}])
    def test_of_nothing_is_empty(self, desk: Client, query: dict[str, str]) -> None:
        assert text_of(desk.get(SEARCH, query)) == ""

    def test_does_not_mind_a_made_up_page(self, desk: Client) -> None:
        assert desk.get(SEARCH, {"s": "a", "page": "x"}).status_code == 200

    def test_needs_a_login(self) -> None:
        assert Client().get(SEARCH, {"s": "a"}).status_code == 302

    def test_is_limited_and_takes_the_same_number_of_queries(
        self, desk: Client, advisor: User
    ) -> None:
        def fill(first: int, last: int) -> None:
            for number in range(first, last):
                customer = CustomerFactory.create(first_name="Xenia")
                vehicle = VehicleFactory.create(customer=customer, make="Xenia")
                open_ticket(
                    vehicle=vehicle,
                    by=advisor,
                    problem_description="Xenia",
                    odometer_miles=1,
                )
                add_part(
                    by=advisor,
                    part_number=f"X-{number}",
                    name="Xenia",
                    current_cost_cents=1,
                )

        def queries() -> tuple[int, int]:
            with CaptureQueriesContext(connection) as captured:
                results = found(desk, "xenia")
            return len(captured), len(results)

        fill(0, 1)
        few, one_of_each = queries()
        fill(1, 12)

        assert one_of_each == 4
        assert queries() == (few, 4 * MAX_RESULTS)


class TestTheSearchBox:
    def test_is_in_the_sidebar(self, desk: Client) -> None:
        page = text_of(desk.get("/admin/"))

        assert "Find anything" in page
        assert "search-input-command" in page

"""The job sheet, which lies in the car and tells nothing that the shop keeps."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from customers.models import Vehicle
from mechanic_shop.accounts.models import User
from tests.support.back_office import (
    browser_of,
    make_customer,
    make_mechanic,
    make_part,
    make_ticket,
    make_user,
    make_vehicle,
    queries_of,
    text_of,
)
from tickets import services
from tickets.models import ServiceTicket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(boss: User) -> ServiceTicket:
    vehicle = make_vehicle(make_customer("Ada"))
    Vehicle.objects.filter(pk=vehicle.pk).update(
        vin="1HGCM82633A004352", license_plate="AB 12"
    )
    ticket = make_ticket(boss, vehicle)
    add_line(ticket, boss, 0)
    return ticket


def add_line(ticket: ServiceTicket, by: User, number: int) -> None:
    mechanic = make_mechanic(f"Max{number}")
    services.assign_mechanic(
        ticket=ticket, mechanic=mechanic, by=by, minutes_worked=1234
    )
    services.install_part(
        ticket=ticket, part=make_part(by, f"BRK-{number}"), quantity_used=2, by=by
    )


def sheet_of(ticket: ServiceTicket) -> str:
    return reverse("admin:tickets_serviceticket_print", args=[ticket.pk])


def user_with(*permissions: str) -> Client:
    user = make_user("vic")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return browser_of(user)


class TestTheJobSheet:
    def test_shows_everything_the_workshop_needs(
        self, boss: User, ticket: ServiceTicket
    ) -> None:
        page = text_of(browser_of(boss).get(sheet_of(ticket)))

        for text in (
            "Mechanic Shop",
            f"Ticket {ticket.pk}",
            "Ada Lovelace",
            "2019 VW Golf",
            "AB 12",
            "1HGCM82633A004352",
            "It squeaks.",
            "Max0",
            "1,234",
            "BRK-0",
            "3,209.70",
            "Mechanic, date",
            "Customer, date",
        ):
            assert text in page

    def test_never_shows_what_a_part_cost_the_shop(
        self, boss: User, ticket: ServiceTicket
    ) -> None:
        page = text_of(browser_of(boss).get(sheet_of(ticket)))

        assert "1,234.50" not in page
        assert "2,469.00" not in page
        assert "30.00" not in page

    def test_keeps_phone_and_vin_from_those_who_may_not_see_them(
        self, ticket: ServiceTicket
    ) -> None:
        page = text_of(user_with("view_serviceticket").get(sheet_of(ticket)))

        assert "3,209.70" in page
        assert "Phone" not in page
        assert "1HGCM82633A004352" not in page

    def test_is_only_for_those_who_see_tickets(self, ticket: ServiceTicket) -> None:
        assert user_with("view_part").get(sheet_of(ticket)).status_code == 403
        assert Client().get(sheet_of(ticket)).status_code == 302

    def test_of_no_ticket_is_not_found(self, boss: User, ticket: ServiceTicket) -> None:
        path = sheet_of(ticket).replace(str(ticket.pk), str(ticket.pk + 1))

        assert browser_of(boss).get(path).status_code == 404

    def test_shows_a_logo_if_there_is_one(
        self, boss: User, ticket: ServiceTicket, settings: pytest.FixtureRequest
    ) -> None:
        settings.SHOP_LOGO = "/static/logo.svg"  # type: ignore[attr-defined]

        page = text_of(browser_of(boss).get(sheet_of(ticket)))

        assert '<img src="/static/logo.svg"' in page

    def test_has_no_script_in_the_page(self, boss: User, ticket: ServiceTicket) -> None:
        page = text_of(browser_of(boss).get(sheet_of(ticket)))

        assert "<script>" not in page
        assert "onclick" not in page

    def test_takes_the_same_queries_for_any_number_of_lines(
        self, boss: User, ticket: ServiceTicket
    ) -> None:
        desk = browser_of(boss)
        for number in range(1, 3):
            add_line(ticket, boss, number)
        desk.get(sheet_of(ticket))
        few = queries_of(desk, sheet_of(ticket))
        for number in range(3, 12):
            add_line(ticket, boss, number)

        assert queries_of(desk, sheet_of(ticket)) == few

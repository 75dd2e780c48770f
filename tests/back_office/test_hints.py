"""Probable mistakes are pointed out before they are saved, and never refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory
from mechanic_shop.accounts.models import User
from tests.support.back_office import (
    form_of,
    make_vehicle,
    page_of,
    post,
    text_of,
    url,
)
from tickets import services
from tickets.models import ServiceTicket

pytestmark = pytest.mark.django_db

SAVE_ANYWAY = {"_accepted": "save_anyway:1"}


def typed(client: Client, path: str, **values: Any) -> dict[str, Any]:
    """Fill in a form as a browser does, with the token that every page carries."""
    token = re.search(r'name="_once" value="([^"]+)"', text_of(client.get(path)))
    assert token
    return {**form_of(client, path), **values, "_once": token[1]}


def expect_hint(client: Client, path: str, form: dict[str, Any], hint: str) -> None:
    """Check that a form comes back with a hint, and that one click saves it."""
    response, said = post(client, path, form)

    page = text_of(response)
    assert response.status_code == 200
    assert hint in said
    assert "Save anyway" in page
    assert "correct the error" not in page
    token = re.search(r'name="_once" value="([^"]+)"', page)
    assert token
    again = client.post(path, {**form, **SAVE_ANYWAY, "_once": token[1]})
    assert again.status_code == 302


def make_ann(phone: str) -> Customer:
    return CustomerFactory.create(
        first_name="Ann", last_name="Lopez", phone=phone, email=None, walk_in=True
    )


class TestSecondCustomer:
    PAGE = url(Customer, "add")

    @pytest.fixture(autouse=True)
    def _known(self) -> None:
        make_ann("(541) 555-0142")

    @pytest.mark.parametrize("phone", ["541 555 0142", "541.555.0142", "5415550142"])
    def test_same_name_and_phone_are_a_hint(self, desk: Client, phone: str) -> None:
        names = {"first_name": "ann", "last_name": "LOPEZ"}
        form = typed(desk, self.PAGE, **names, phone=phone)

        expect_hint(desk, self.PAGE, form, "with this phone is a customer already")

        assert Customer.objects.filter(last_name__iexact="lopez").count() == 2

    @pytest.mark.parametrize(
        "other", [{"phone": "541 555 0143"}, {"first_name": "Anna"}, {"phone": "n/a"}]
    )
    def test_others_are_saved_at_once(
        self, desk: Client, other: dict[str, str]
    ) -> None:
        names = {"first_name": "Ann", "last_name": "Lopez", "phone": "5415550142"}

        response = desk.post(self.PAGE, typed(desk, self.PAGE, **names | other))

        assert response.status_code == 302

    def test_edit_of_another_field_gives_no_hint(self, desk: Client) -> None:
        twin = make_ann("5415550142")

        response = desk.post(page_of(twin), typed(desk, page_of(twin), city="Reno"))

        assert response.status_code == 302

    def test_script_without_a_token_gets_no_hint(self, desk: Client) -> None:
        names = {"first_name": "Ann", "last_name": "Lopez", "phone": "5415550142"}
        form = {**typed(desk, self.PAGE), **names}
        del form["_once"]

        assert desk.post(self.PAGE, form).status_code == 302


class TestSecondTicket:
    PAGE = url(ServiceTicket, "add")

    def form(self, desk: Client, vehicle: Vehicle, odometer: int) -> dict[str, Any]:
        return typed(
            desk,
            self.PAGE,
            vehicle=vehicle.pk,
            problem_description="It squeaks.",
            odometer_miles=odometer,
        )

    def test_open_ticket_of_the_vehicle_is_a_hint(
        self, desk: Client, ticket: ServiceTicket
    ) -> None:
        form = self.form(desk, ticket.vehicle, 2000)

        expect_hint(desk, self.PAGE, form, f"{ticket} for this vehicle is open.")

        assert ticket.vehicle.service_tickets.count() == 2

    def test_closed_ticket_of_the_vehicle_is_none(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        services.move_ticket(ticket=ticket, status="cancelled", by=boss)

        response = desk.post(self.PAGE, self.form(desk, ticket.vehicle, 2000))

        assert response.status_code == 302

    def test_lower_odometer_is_a_hint(self, desk: Client) -> None:
        vehicle = make_vehicle()
        Vehicle.objects.update(mileage=50_000)
        form = self.form(desk, vehicle, 5_000)

        expect_hint(desk, self.PAGE, form, "This vehicle had 50,000 miles before.")

        vehicle.refresh_from_db()
        assert vehicle.mileage == 50_000

    def test_lower_odometer_of_an_open_ticket_is_a_hint(
        self, desk: Client, ticket: ServiceTicket
    ) -> None:
        Vehicle.objects.update(mileage=50_000)
        form = typed(desk, page_of(ticket), odometer_miles=900)

        expect_hint(desk, page_of(ticket), form, "had 50,000 miles before")


class TestMileage:
    def test_lower_mileage_of_a_vehicle_is_a_hint(self, desk: Client) -> None:
        vehicle = make_vehicle()
        Vehicle.objects.update(mileage=50_000)
        form = typed(desk, page_of(vehicle), mileage=4_000)

        expect_hint(desk, page_of(vehicle), form, "had 50,000 miles before")

        vehicle.refresh_from_db()
        assert vehicle.mileage == 4_000

"""The pages of customers and vehicles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from customers.models import Customer, Vehicle
from mechanic_shop.accounts.models import User
from tests.support.back_office import (
    add_row,
    answer_dialog,
    form_of,
    make_customer,
    make_ticket,
    make_user,
    make_vehicle,
    page_of,
    post,
    url,
)

pytestmark = pytest.mark.django_db


class TestCustomerPage:
    def test_keeps_one_address_with_the_login(self, desk: Client) -> None:
        login = make_user("ada", is_staff=False)
        customer = make_customer(user=login, email=login.email)
        form = form_of(desk, page_of(customer))

        post(desk, page_of(customer), {**form, "email": " New@Shop.test "})

        login.refresh_from_db()
        assert login.email == "new@shop.test"

    def test_says_in_words_that_an_address_is_taken(
        self, boss: User, desk: Client
    ) -> None:
        login = make_user("ada", is_staff=False)
        customer = make_customer(user=login, email=login.email)
        form = form_of(desk, page_of(customer))

        _, said = post(desk, page_of(customer), {**form, "email": boss.email})

        assert said == "This email address is already in use."

    def test_does_not_link_a_login_by_hand(self, boss: User, desk: Client) -> None:
        customer = make_customer()
        form = form_of(desk, page_of(customer))

        post(desk, page_of(customer), {**form, "user": boss.pk})

        customer.refresh_from_db()
        assert customer.user is None

    def test_adds_a_vehicle_below_a_new_customer(self, desk: Client) -> None:
        form = form_of(desk, url(Customer, "add"))
        form |= {"first_name": "Ada", "last_name": "Lovelace", "phone": "1"}
        form = add_row(form, "vehicles", year="2019", make="VW", model="Golf")

        post(desk, url(Customer, "add"), form)

        assert Vehicle.objects.get().customer == Customer.objects.get()

    def test_mails_an_invitation(
        self,
        desk: Client,
        sent_mails: Callable[[], list[Any]],
    ) -> None:
        customer = make_customer(email="ada@test.test")

        answer_dialog(desk, url(Customer, "invite", customer.pk))

        assert [mail.to for mail in sent_mails()] == [["ada@test.test"]]

    def test_says_in_words_that_there_is_no_address_to_invite(
        self, desk: Client
    ) -> None:
        customer = make_customer()

        _, said = answer_dialog(desk, url(Customer, "invite", customer.pk))

        assert said == "The customer has no email address."

    def test_deletes_a_vehicle_without_history(self, desk: Client) -> None:
        customer = make_vehicle().customer
        form = form_of(desk, page_of(customer))

        post(desk, page_of(customer), {**form, "vehicles-0-DELETE": "on"})

        assert not customer.vehicles.exists()


class TestVehiclePage:
    def test_adds_one_with_its_vin_in_the_stored_spelling(self, desk: Client) -> None:
        form = form_of(desk, url(Vehicle, "add"))
        form |= {"customer": make_customer().pk, "make": "Honda", "model": "Accord"}

        post(
            desk,
            url(Vehicle, "add"),
            {**form, "year": "2003", "vin": "1hgcm82633a004352"},
        )

        assert Vehicle.objects.get().vin == "1HGCM82633A004352"

    def test_hands_it_to_another_customer(self, desk: Client) -> None:
        vehicle, bob = make_vehicle(), make_customer("Bob")
        form = form_of(desk, page_of(vehicle))

        post(desk, page_of(vehicle), {**form, "customer": bob.pk, "color": "red"})

        vehicle.refresh_from_db()
        assert (vehicle.customer, vehicle.color) == (bob, "red")

    def test_refuses_a_new_owner_while_a_ticket_is_open(
        self, boss: User, desk: Client
    ) -> None:
        vehicle, bob = make_ticket(boss).vehicle, make_customer("Bob")
        form = form_of(desk, page_of(vehicle))

        _, said = post(desk, page_of(vehicle), {**form, "customer": bob.pk})

        vehicle.refresh_from_db()
        assert said == "This vehicle has an open service ticket."
        assert vehicle.customer != bob

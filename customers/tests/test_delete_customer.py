from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from customers.models import Customer, Vehicle
from customers.services import delete_customer
from customers.signals import customer_erasing
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.services import count_stock
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.services import request_password_reset, start_session
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory
from mechanic_shop.core.errors import InUse
from mechanic_shop.core.models import QueuedTask
from tickets.models import ServiceTicket
from tickets.services import add_note, move_ticket, open_ticket
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

ADDRESS = "jordan@example.com"
VIN = "1M8GDM9AXKP042788"


@pytest.fixture
def customer() -> Customer:
    return CustomerFactory.create(email=ADDRESS)


@pytest.fixture
def former(owner: User) -> Customer:
    """A customer with every detail, a login that left traces, and a closed ticket."""
    details = {"address": "1 Elm St", "city": "Reno", "state": "NV"}
    details |= {"last_name": "Riverside", "user__last_name": "Riverton"}
    customer = CustomerFactory.create(email=ADDRESS, postal_code="89501", **details)
    assert customer.user is not None
    vehicle = VehicleFactory.create(customer=customer, vin=VIN, license_plate="BLUE-1")
    ticket = open_ticket(
        vehicle=vehicle,
        by=customer.user,
        problem_description="It rattles.",
        odometer_miles=1,
    )
    move_ticket(ticket=ticket, status="cancelled", by=owner)
    return customer


def delete(client: APIClient, customer: Customer) -> int:
    return client.delete(f"/api/customers/{customer.pk}").status_code


def log_in() -> int:
    body = {"email": ADDRESS, "password": PASSWORD}
    return APIClient().post("/api/auth/login", body).status_code


class TestDeleteCustomer:
    def test_takes_vehicles_login_and_sessions_along(
        self, shop: APIClient, owner: User, customer: Customer
    ) -> None:
        VehicleFactory.create(customer=customer)
        assert customer.user is not None
        start_session(user=customer.user)

        assert delete(shop, customer) == 204

        assert not Customer.objects.exists()
        assert not Vehicle.objects.exists()
        assert User.objects.get() == owner
        assert not Session.objects.exclude(user=owner).exists()

    def test_signs_out_who_deletes_themselves(
        self, customer: Customer, client_of: Callable[[User], APIClient]
    ) -> None:
        assert customer.user is not None
        client = client_of(customer.user)

        assert delete(client, customer) == 204

        assert client.get("/api/auth/me").status_code == 401
        assert log_in() == 401

    def test_keeps_the_login_of_staff(self, shop: APIClient) -> None:
        user = UserFactory.create(email=ADDRESS, is_staff=True)
        customer = CustomerFactory.create(email=ADDRESS, user=user)

        assert delete(shop, customer) == 204

        assert not Customer.objects.exists()
        assert log_in() == 200

    def test_is_refused_while_a_ticket_is_open(
        self, shop: APIClient, customer: Customer
    ) -> None:
        vehicle = VehicleFactory.create(customer=customer)
        TicketFactory.create(vehicle=vehicle, closed=True)
        TicketFactory.create(vehicle=vehicle)

        answer = shop.delete(f"/api/customers/{customer.pk}")

        assert answer.status_code == 409
        assert answer.data["code"] == "in_use"
        customer.refresh_from_db()
        assert (customer.email, customer.erased_at) == (ADDRESS, None)
        assert log_in() == 200

    def test_works_for_the_buyer_of_a_vehicle_with_history(
        self, shop: APIClient, customer: Customer
    ) -> None:
        ticket = TicketFactory.create(closed=True)
        seller = ticket.customer
        Vehicle.objects.update(customer=customer, vin=VIN)

        assert delete(shop, customer) == 204

        assert shop.get(f"/api/customers/{customer.pk}").status_code == 404
        ticket.refresh_from_db()
        assert ticket.customer == seller
        assert not Vehicle.objects.filter(vin=VIN).exists()
        assert log_in() == 401

    def test_has_nothing_to_delete_the_second_time(
        self, shop: APIClient, customer: Customer
    ) -> None:
        assert [delete(shop, customer), delete(shop, customer)] == [204, 404]


def write_note(user: User) -> None:
    add_note(ticket=TicketFactory.create(), by=user, text="Rang twice.")


def count_stock_of_a_part(user: User) -> None:
    count_stock(part=PartFactory.create(), counted=7, by=user)


def by_api(boss: User, customer: Customer) -> int:
    client = APIClient()
    client.force_authenticate(boss)
    return delete(client, customer)


def by_page(boss: User, customer: Customer) -> int:
    url = reverse("admin:customers_customer_delete", args=[customer.pk])
    return post_as(boss, url, {"post": "yes"})


def by_bulk_action(boss: User, customer: Customer) -> int:
    body = {"action": "delete_selected", "_selected_action": customer.pk, "post": "yes"}
    return post_as(boss, reverse("admin:customers_customer_changelist"), body)


def post_as(boss: User, url: str, body: dict[str, Any]) -> int:
    browser = Client()
    browser.force_login(boss)
    return browser.post(url, body).status_code


class TestLoginThatLedgersName:
    """A customer without tickets whose login worked on those of other customers."""

    @pytest.mark.parametrize("act", [write_note, count_stock_of_a_part])
    @pytest.mark.parametrize(
        ("delete_it", "status"), [(by_api, 204), (by_page, 302), (by_bulk_action, 302)]
    )
    def test_is_emptied_when_its_customer_is_deleted(
        self,
        owner: User,
        customer: Customer,
        act: Callable[[User], None],
        delete_it: Callable[[User, Customer], int],
        status: int,
    ) -> None:
        user = customer.user
        assert user is not None
        act(user)

        assert delete_it(owner, customer) == status

        assert not Customer.objects.filter(email=ADDRESS).exists()
        assert not Customer.objects.filter(pk=customer.pk).exists()
        user.refresh_from_db()
        assert user.email == f"erased-{user.pk}@erased.invalid"
        assert (user.full_name, user.is_active) == ("", False)
        assert log_in() == 401


class TestEraseCustomer:
    """What deleting does to a customer whom the shop's books mention."""

    def test_blanks_everything_personal(
        self, shop: APIClient, former: Customer
    ) -> None:
        assert delete(shop, former) == 204

        former.refresh_from_db()
        names = ["first_name", "last_name", "phone", "address"]
        names += ["city", "state", "postal_code"]
        assert {getattr(former, name) for name in names} == {""}
        assert (former.email, former.user) == (None, None)
        assert former.erased_at is not None

    def test_blanks_vin_and_plate_of_the_vehicles(
        self, shop: APIClient, former: Customer
    ) -> None:
        delete(shop, former)

        vehicle = Vehicle.objects.get()
        assert (vehicle.vin, vehicle.license_plate) == (None, "")
        assert (vehicle.make, vehicle.customer_id) == ("Honda", former.pk)

    def test_keeps_the_tickets_for_the_books(
        self, shop: APIClient, former: Customer
    ) -> None:
        ticket = ServiceTicket.objects.get()

        delete(shop, former)

        answer = shop.get(f"/api/service-tickets/{ticket.pk}")
        assert answer.status_code == 200
        assert answer.data["customer_id"] == former.pk
        assert answer.data["customer"]["last_name"] == ""
        assert answer.data["vehicle"]["vin"] is None

    def test_leaves_nothing_personal_in_any_answer(
        self, shop: APIClient, former: Customer
    ) -> None:
        ticket = ServiceTicket.objects.get()
        secrets = [ADDRESS, "Riverside", "Riverton", "1 Elm St", VIN, "BLUE-1"]

        delete(shop, former)

        paths = ["customers", "vehicles", "service-tickets"]
        paths.append(f"service-tickets/{ticket.pk}/events")
        text = "".join(shop.get(f"/api/{path}").content.decode() for path in paths)
        assert [secret for secret in secrets if secret in text] == []

    def test_blanks_the_mails_to_all_addresses_of_the_customer(
        self, shop: APIClient, former: Customer
    ) -> None:
        request_password_reset(email=ADDRESS)
        shop.patch(f"/api/customers/{former.pk}", {"email": "jordan@example.org"})
        request_password_reset(email="jordan@example.org")
        request_password_reset(email="other@example.org")

        delete(shop, former)

        waiting = QueuedTask.objects.filter(state="waiting")
        assert [task.recipient for task in waiting] == ["other@example.org"]
        assert QueuedTask.objects.filter(recipient="", state="not_needed").count() >= 2
        assert "jordan" not in str(QueuedTask.objects.values())

    def test_leaves_every_list_and_is_not_found(
        self, shop: APIClient, former: Customer
    ) -> None:
        vehicle = Vehicle.objects.get()

        delete(shop, former)

        assert shop.get("/api/customers").data["customers"] == []
        assert shop.get("/api/vehicles").data["vehicles"] == []
        for path in [
            f"customers/{former.pk}",
            f"customers/{former.pk}/vehicles",
            f"customers/{former.pk}/vehicles/{vehicle.pk}",
            f"customers/{former.pk}/service-tickets",
            f"vehicles/{vehicle.pk}",
        ]:
            assert shop.get(f"/api/{path}").status_code == 404, path
        assert delete(shop, former) == 404
        change = shop.put(f"/api/customers/{former.pk}", {"first_name": "Back"})
        assert change.status_code == 404

    def test_ends_login_and_sessions(
        self, former: Customer, client_of: Callable[[User], APIClient], shop: APIClient
    ) -> None:
        assert former.user is not None
        client = client_of(former.user)

        delete(shop, former)

        assert client.get("/api/auth/me").status_code == 401
        assert log_in() == 401
        assert not User.objects.filter(email=ADDRESS).exists()
        assert not User.objects.filter(last_name="Riverton").exists()

    def test_frees_the_email_and_the_vin(
        self, shop: APIClient, former: Customer
    ) -> None:
        delete(shop, former)
        body: dict[str, Any] = {"first_name": "New", "last_name": "Start", "phone": "1"}

        answer = APIClient().post(
            "/api/auth/register", {**body, "email": ADDRESS, "password": PASSWORD}
        )

        assert answer.status_code == 201
        pk = answer.data["customer"]["customer_id"]
        assert pk != former.pk
        car = {"make": "Honda", "model": "Fit", "year": 2019, "vin": VIN}
        assert shop.post(f"/api/customers/{pk}/vehicles", car).status_code == 201

    def test_leaves_a_vehicle_that_was_sold_to_its_new_owner(
        self, shop: APIClient, former: Customer, customer_with_car: Customer
    ) -> None:
        assert delete(shop, former) == 204

        vehicle = Vehicle.objects.get(customer=customer_with_car)
        assert (vehicle.vin, vehicle.license_plate) == (VIN, "BLUE-1")
        path = f"/api/customers/{customer_with_car.pk}/vehicles/{vehicle.pk}"
        assert shop.get(path).data["vin"] == VIN


@pytest.fixture
def customer_with_car(former: Customer) -> Customer:
    """Somebody who bought the former customer's only car."""
    buyer = CustomerFactory.create()
    former.vehicles.update(customer=buyer)
    return buyer


class TestCustomerErasing:
    """The signal to the apps above, sent before a customer is deleted or erased."""

    def test_is_sent_before_a_customer_is_deleted(self, customer: Customer) -> None:
        pk = customer.pk

        with customers_told() as told:
            delete_customer(customer=customer)

        assert told == [(pk, ADDRESS)]

    def test_is_sent_before_a_customer_is_erased(self, former: Customer) -> None:
        with customers_told() as told:
            delete_customer(customer=former)

        assert told == [(former.pk, ADDRESS)]

    def test_is_not_sent_while_a_ticket_is_open(
        self, shop: APIClient, customer: Customer
    ) -> None:
        TicketFactory.create(vehicle__customer=customer)

        with customers_told() as told:
            assert delete(shop, customer) == 409

        assert told == []

    def test_a_conflict_of_a_receiver_keeps_everything(
        self, shop: APIClient, former: Customer
    ) -> None:
        def refuse(sender: Any, customer: Customer, **kwargs: Any) -> None:
            customer.vehicles.update(color="written by a receiver")
            raise InUse("An invoice of this customer is not paid.")

        customer_erasing.connect(refuse)
        try:
            response = shop.delete(f"/api/customers/{former.pk}")
        finally:
            customer_erasing.disconnect(refuse)

        assert (response.status_code, response.data["code"]) == (409, "in_use")
        kept = Customer.objects.get(pk=former.pk)
        assert (kept.email, kept.erased_at) == (ADDRESS, None)
        assert not kept.vehicles.filter(color="written by a receiver").exists()
        assert log_in() == 200


@contextmanager
def customers_told() -> Iterator[list[tuple[int, str | None]]]:
    """Collect id and stored email of the customers that receivers are told of."""
    told: list[tuple[int, str | None]] = []

    def remember(sender: Any, customer: Customer, **kwargs: Any) -> None:
        assert sender is Customer
        assert connection.in_atomic_block
        told.append((customer.pk, Customer.objects.get(pk=customer.pk).email))

    customer_erasing.connect(remember)
    try:
        yield told
    finally:
        customer_erasing.disconnect(remember)

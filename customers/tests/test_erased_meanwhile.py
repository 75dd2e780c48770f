"""A customer is erased while somebody else still writes about them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from customers import services
from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.core.errors import NotFound
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

VIN = "1HGCM82633A004352"
CAR = {"make": "Honda", "model": "Civic", "year": 2016}


@pytest.fixture
def read_before() -> Customer:
    """A customer as read before somebody else erased them."""
    customer = TicketFactory.create(closed=True).customer
    services.delete_customer(customer=Customer.objects.get(pk=customer.pk))
    return customer


@pytest.fixture
def browser(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def erase_first(monkeypatch: pytest.MonkeyPatch, name: str, customer: Customer) -> None:
    """Let the customer be erased at the moment in which a service is called."""
    service = getattr(services, name)

    def erase_and_call(**arguments: Any) -> Any:
        services.delete_customer(customer=Customer.objects.get(pk=customer.pk))
        return service(**arguments)

    monkeypatch.setattr(services, name, erase_and_call)


class EraseAfterRead:
    """Let a customer be erased right after the first query that reads customers."""

    def __init__(self, customer: Customer) -> None:
        self.customer: Customer | None = customer

    def __call__(self, execute: Any, sql: str, *args: Any) -> Any:
        result = execute(sql, *args)
        customer = self.customer
        if customer is not None and 'FROM "customers_customer"' in sql.replace(
            "`", '"'
        ):
            self.customer = None
            services.delete_customer(customer=Customer.objects.get(pk=customer.pk))
        return result


class TestErasedMeanwhile:
    def test_vehicle_is_not_added(self, read_before: Customer) -> None:
        vehicle = Vehicle(customer=read_before, vin=VIN, **CAR)

        with pytest.raises(services.OwnerChanged):
            services.add_vehicle(vehicle=vehicle)

        assert not Vehicle.objects.filter(vin=VIN).exists()

    def test_vehicle_is_not_added_to_a_deleted_customer(self) -> None:
        customer = CustomerFactory.create()
        vehicle = Vehicle(customer=customer, vin=VIN, **CAR)
        services.delete_customer(customer=Customer.objects.get(pk=customer.pk))

        with pytest.raises(services.OwnerChanged):
            services.add_vehicle(vehicle=vehicle)

    def test_vehicle_gets_no_new_plate(self, read_before: Customer) -> None:
        vehicle = read_before.vehicles.get()

        with pytest.raises(services.OwnerChanged):
            services.update_vehicle(vehicle=vehicle, license_plate="KEPT 1")

        assert Vehicle.objects.get(pk=vehicle.pk).license_plate == ""

    def test_customer_gets_no_new_name(
        self, read_before: Customer, owner: User
    ) -> None:
        with pytest.raises(NotFound):
            services.update_customer(customer=read_before, by=owner, phone="555-1")

        assert Customer.objects.get(pk=read_before.pk).phone == ""

    def test_customer_gets_no_login(self, read_before: Customer) -> None:
        assert read_before.email
        read_before.user = None

        with pytest.raises(NotFound):
            services.invite_customer(customer=read_before)

        assert not User.objects.filter(email=read_before.email).exists()

    def test_mailed_link_makes_no_login(self) -> None:
        customer = TicketFactory.create(
            closed=True, vehicle__customer__walk_in=True
        ).customer
        email = customer.email
        assert email

        with connection.execute_wrapper(EraseAfterRead(customer)):
            assert services.invite_walk_in(email=email) is None

        customer.refresh_from_db()
        assert (customer.email, customer.user) == (None, None)
        assert not User.objects.filter(email=email).exists()

    def test_second_erasure_is_refused(self, read_before: Customer) -> None:
        with pytest.raises(NotFound):
            services.delete_customer(customer=read_before)


class TestApi:
    def test_adding_a_vehicle_is_a_409_with_a_body(
        self, shop: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        customer = TicketFactory.create(closed=True).customer
        erase_first(monkeypatch, "add_vehicle", customer)

        answer = shop.post(
            f"/api/customers/{customer.pk}/vehicles", {**CAR, "vin": VIN}
        )

        assert answer.status_code == 409
        assert answer.json()["code"] == "owner_changed"
        assert not answer.has_header("Location")
        assert not Vehicle.objects.filter(vin=VIN).exists()


class TestAdmin:
    def test_adding_a_vehicle_tells_and_saves_nothing(
        self, browser: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        customer = TicketFactory.create(closed=True).customer
        erase_first(monkeypatch, "add_vehicle", customer)
        page = reverse("admin:customers_vehicle_add")
        lines = {"service_tickets-TOTAL_FORMS": 0, "service_tickets-INITIAL_FORMS": 0}

        answer = browser.post(
            page, {**CAR, **lines, "vin": VIN, "customer": customer.pk}, follow=True
        )

        assert "no longer a customer" in answer.content.decode()
        assert not Vehicle.objects.filter(vin=VIN).exists()

    def test_vehicles_below_a_customer_are_saved_by_the_service(
        self, browser: Client
    ) -> None:
        kept = VehicleFactory.create(**CAR)
        customer = kept.customer
        page = reverse("admin:customers_customer_change", args=[customer.pk])
        rows = {
            "vehicles-TOTAL_FORMS": 2,
            "vehicles-INITIAL_FORMS": 1,
            **{f"vehicles-0-{name}": value for name, value in CAR.items()},
            "vehicles-0-id": kept.pk,
            "vehicles-0-customer": customer.pk,
            "vehicles-0-license_plate": "NEW 1",
            **{f"vehicles-1-{name}": value for name, value in CAR.items()},
            "vehicles-1-customer": customer.pk,
            "vehicles-1-vin": VIN,
            "service_tickets-TOTAL_FORMS": 0,
            "service_tickets-INITIAL_FORMS": 0,
        }
        names = ("first_name", "last_name", "email", "phone")
        person = {name: getattr(customer, name) for name in names}

        answer = browser.post(page, {**person, **rows})

        assert answer.status_code == 302
        added = customer.vehicles.exclude(pk=kept.pk).get()
        assert (added.vin, added.make) == (VIN, "Honda")
        kept.refresh_from_db()
        assert kept.license_plate == "NEW 1"
        assert added.history.get().history_user is not None

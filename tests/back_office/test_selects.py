"""Selects tell namesakes apart, and offer nobody who is gone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanics.tests.factories import MechanicFactory
from tests.support.back_office import browser_of, url
from tickets.models import ServiceTicket, TicketMechanic, TicketPart
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(owner: User) -> Client:
    return browser_of(owner)


def offered(
    client: Client, model: type[Model], field: str, term: str = ""
) -> list[str]:
    query = {
        "app_label": model._meta.app_label,
        "model_name": str(model._meta.model_name),
        "field_name": field,
        "term": term,
    }
    found = client.get(reverse("admin:autocomplete"), query).json()
    return [row["text"] for row in found["results"]]


class TestSelect:
    def test_tells_vehicles_by_plate_or_vin_and_owner(self, desk: Client) -> None:
        for name, plate, vin in (
            ("Ada", "ABC-123", "1HGCM82633A004352"),
            ("Bob", "", "1HGCM82633A000017"),
            ("Eve", "", None),
        ):
            VehicleFactory.create(
                customer=CustomerFactory.create(first_name=name, last_name="Doe"),
                license_plate=plate,
                vin=vin,
                year=2016,
                make="Honda",
                model="Civic",
            )

        assert sorted(offered(desk, ServiceTicket, "vehicle")) == [
            "2016 Honda Civic · ABC-123 · Ada Doe",
            "2016 Honda Civic · Eve Doe",
            "2016 Honda Civic · VIN …000017 · Bob Doe",
        ]

    def test_tells_customers_by_their_phone(self, desk: Client) -> None:
        for phone in ("1", "2"):
            CustomerFactory.create(first_name="Ada", last_name="Doe", phone=phone)

        assert offered(desk, Vehicle, "customer") == ["Ada Doe · 1", "Ada Doe · 2"]

    def test_tells_parts_by_their_stock(self, desk: Client) -> None:
        PartFactory.create(part_number="B-1", name="Pad", quantity_in_stock=1_200)

        assert offered(desk, TicketPart, "part") == ["B-1 Pad (1,200 in stock)"]

    @pytest.mark.parametrize(
        ("model", "field"), [(TicketMechanic, "mechanic"), (TicketPart, "installed_by")]
    )
    def test_offers_no_mechanic_who_left(
        self, desk: Client, model: type[Model], field: str
    ) -> None:
        MechanicFactory.create(full_name="Ada Here", phone="1")
        MechanicFactory.create(full_name="Ada Gone", phone="2", is_active=False)

        assert offered(desk, model, field, "ada") == ["Ada Here · 1"]

    def test_offers_no_part_that_is_not_kept(self, desk: Client) -> None:
        PartFactory.create(is_active=False)

        assert offered(desk, TicketPart, "part") == []

    def test_offers_nobody_who_was_erased(self, desk: Client) -> None:
        vehicle = VehicleFactory.create()
        Customer.objects.update(erased_at=timezone.now())

        assert offered(desk, ServiceTicket, "customer") == []
        assert offered(desk, ServiceTicket, "vehicle", vehicle.make) == []

    def test_names_no_owner_to_those_who_may_not_view_customers(self) -> None:
        VehicleFactory.create(customer__last_name="Secret")
        user = UserFactory.create(is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(
                codename__in=["view_vehicle", "add_serviceticket"]
            )
        )

        [text] = offered(browser_of(user), ServiceTicket, "vehicle")

        assert "Secret" not in text

    def test_shows_the_chosen_row_by_the_same_label(self, desk: Client) -> None:
        ticket = TicketFactory.create(
            vehicle__license_plate="ABC-123", vehicle__customer__last_name="Doe"
        )

        page = desk.get(url(ServiceTicket, "change", ticket.pk)).content.decode()

        assert f"{ticket.vehicle} · ABC-123 · {ticket.vehicle.customer}" in page

    def test_takes_the_same_number_of_queries_for_any_number_of_rows(
        self, desk: Client
    ) -> None:
        def queries() -> Any:
            with CaptureQueriesContext(connection) as captured:
                offered(desk, ServiceTicket, "vehicle")
            return len(captured)

        VehicleFactory.create()
        one = queries()
        VehicleFactory.create_batch(5)

        assert queries() == one

"""The same words find the same rows in the API and everywhere in the back office."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from customers.models import Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanics.tests.factories import MechanicFactory
from tests.support.back_office import browser_of, url
from tickets.models import ServiceTicket, TicketMechanic
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

#: What people type, by what they look for.
TERMS: dict[str, list[str]] = {
    "customer": [
        *("5415550142", "541-555-0142", "(541) 555", "+1 541 555 0142", "0142"),
        *("Lopez, Maria", "maria lopez", "Lopez Maria", "LÓPEZ", "lope", "pez"),
        *("maría", "O'Brien", "o’brien", "OBRIEN", "maria@x", "@X.TEST"),
    ],
    "vehicle": [
        *("AB123CD", "ab-123-cd", "AB 123 CD", "b123", "123cd"),
        *("1HGCM82633A004352", "1hgcm-82633-a004352", "004352", "1hgcm", "2633a"),
        *("honda accord", "Accord Honda", "2003 honda", "cord"),
    ],
    "part": [
        *("06A115561B", "06a-115-561b", "06A 115 561 B", "115561"),
        *("ölfilter", "OLFILTER", "filter bosch", "Bosch, Filter", "filt"),
    ],
    "mechanic": ["MUÑOZ", "munoz", "émile", "Emile", "Muñoz, Émile", "5415550199"],
}
TERMS["ticket"] = [
    *(*TERMS["vehicle"], *TERMS["customer"]),
    *("squeaks", "LOW speed", "speed low", "queak"),
]
PATHS = {
    "customer": ("/api/customers", "customer_id"),
    "vehicle": ("/api/vehicles", "vehicle_id"),
    "part": ("/api/inventory", "part_id"),
    "ticket": ("/api/service-tickets", "ticket_id"),
}
CASES = [(kind, term) for kind, terms in TERMS.items() for term in terms]
IN_API = [(kind, term) for kind, term in CASES if kind in PATHS]
#: The column whose select offers each kind.
SELECTS: dict[str, tuple[type[Model], str]] = {
    "customer": (Vehicle, "customer"),
    "vehicle": (ServiceTicket, "vehicle"),
    "mechanic": (TicketMechanic, "mechanic"),
}
IN_SELECTS = [(kind, term) for kind, term in CASES if kind in SELECTS]


@pytest.fixture
def desk(owner: User) -> Client:
    return browser_of(owner)


@pytest.fixture
def rows() -> dict[str, Any]:
    """One row of each kind that is looked for, among others that are not."""
    others = TicketFactory.create(
        problem_description="Oil", vehicle=VehicleFactory.create(make="VW", model="Up")
    )
    MechanicFactory.create(full_name="John Doe", phone="1")
    PartFactory.create(part_number="X-1", name="Pad", manufacturer="", supplier="")
    customer = CustomerFactory.create(
        first_name="Maria",
        last_name="Lopez O’Brien",
        email="maria@x.test",
        phone="(541) 555-0142",
    )
    vehicle = VehicleFactory.create(
        customer=customer,
        make="Honda",
        model="Accord",
        year=2003,
        license_plate="AB 123-CD",
        vin="1HGCM82633A004352",
    )
    return {
        "customer": customer,
        "vehicle": vehicle,
        "part": PartFactory.create(
            part_number="06A 115-561 B", name="Ölfilter", manufacturer="Bosch"
        ),
        "mechanic": MechanicFactory.create(
            full_name="Émile Muñoz", phone="541.555.0199"
        ),
        "ticket": TicketFactory.create(
            vehicle=vehicle,
            customer=customer,
            problem_description="Squeaks at low speed",
        ),
        "other": others,
    }


def found_in_api(client: APIClient, kind: str, term: str) -> list[int]:
    path, key = PATHS[kind]
    response = client.get(path, {"search": term})
    assert response.status_code == 200
    return [row[key] for row in next(iter(response.json().values()))]


def found_in_select(client: Client, kind: str, term: str) -> list[int]:
    model, field = SELECTS[kind]
    query = {
        "app_label": model._meta.app_label,
        "model_name": str(model._meta.model_name),
        "field_name": field,
        "term": term,
    }
    found = client.get(reverse("admin:autocomplete"), query).json()
    return [int(row["id"]) for row in found["results"]]


class TestSearch:
    @pytest.mark.parametrize(("kind", "term"), IN_API)
    def test_of_the_api_finds_the_row_alone(
        self, shop: APIClient, rows: dict[str, Any], kind: str, term: str
    ) -> None:
        assert found_in_api(shop, kind, term) == [rows[kind].pk]

    @pytest.mark.parametrize(("kind", "term"), CASES)
    def test_of_a_list_finds_the_row_alone(
        self, desk: Client, rows: dict[str, Any], kind: str, term: str
    ) -> None:
        page = desk.get(url(type(rows[kind]), "changelist"), {"q": term})

        assert [row.pk for row in page.context["cl"].result_list] == [rows[kind].pk]

    @pytest.mark.parametrize(("kind", "term"), IN_SELECTS)
    def test_of_a_select_finds_the_row_alone(
        self, desk: Client, rows: dict[str, Any], kind: str, term: str
    ) -> None:
        assert found_in_select(desk, kind, term) == [rows[kind].pk]

    @pytest.mark.parametrize("spelling", ["{}", "#{}"])
    def test_finds_a_ticket_by_its_number(
        self, shop: APIClient, desk: Client, rows: dict[str, Any], spelling: str
    ) -> None:
        ticket = rows["ticket"]
        ServiceTicket.objects.filter(pk=ticket.pk).delete()
        ticket = TicketFactory.create(pk=987_654)
        term = spelling.format(ticket.pk)

        assert found_in_api(shop, "ticket", term) == [ticket.pk]
        page = desk.get(url(ServiceTicket, "changelist"), {"q": term})
        assert [row.pk for row in page.context["cl"].result_list] == [ticket.pk]

    @pytest.mark.parametrize("plate", ["AB123CD", "ab-123 cd", "AB 123-CD"])
    def test_by_the_whole_plate_takes_any_spelling(
        self, shop: APIClient, rows: dict[str, Any], plate: str
    ) -> None:
        found = shop.get("/api/vehicles", {"license_plate": plate}).json()

        assert [row["vehicle_id"] for row in found["vehicles"]] == [rows["vehicle"].pk]


class TestFormerOwner:
    def test_finds_no_ticket_by_the_new_plate(
        self, rows: dict[str, Any], client_of: Callable[[User], APIClient]
    ) -> None:
        ticket, vehicle = rows["other"], rows["other"].vehicle
        client = client_of(ticket.customer.user)
        ServiceTicket.objects.filter(pk=ticket.pk).update(
            status="cancelled", closed_at="2026-01-01T00:00Z"
        )

        vehicle.license_plate, vehicle.vin = "NEW-77", None
        vehicle.customer = rows["customer"]
        vehicle.save()

        assert found_in_api(client, "ticket", "NEW77") == []
        assert found_in_api(client, "ticket", "Maria") == []
        assert found_in_api(client, "ticket", "oil") == [ticket.pk]

"""Both old systems' Postman collections, replayed on the demo data.

The tables say what their clients send, call by call, and what they get: under open
access one customer's token is enough for everything. Words in braces stand for what an
earlier answer contained, as the variables of a collection do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import transaction
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

# One worker seeds the demo data, for all of these.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("collections")]

OPEN_ACCESS = "mechanic_shop.accounts.backends.OpenAccessBackend"


@dataclass(frozen=True)
class Call:
    """One request, ``METHOD path``, and what is promised about its answer.

    ``shows`` gives values by their dotted place in the answer, ``keeps`` the places of
    values that later calls need, by the names under which they need them.
    """

    request: str
    status: int
    body: Mapping[str, Any] | None = None
    shows: Mapping[str, Any] = field(default_factory=dict)
    keeps: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.request} {self.status}"


JOHN = {
    "first_name": "John",
    "last_name": "Doe",
    "email": "john.doe@example.com",
    "phone": "555-1234",
    "address": "123 Main St",
    "city": "Denver",
    "state": "CO",
    "postal_code": "80202",
}
JOHNS_LOGIN = {"email": "john.doe@example.com", "password": "SecurePass123!"}
REGISTER_JOHN = Call(
    "POST /auth/register",
    201,
    {**JOHN, **JOHNS_LOGIN},
    shows={"customer.email": "john.doe@example.com", "user.role": "customer"},
    keeps={"token": "access_token", "customer": "customer.customer_id"},
)

CAR = {
    "vin": "1HGCM82633A123456",
    "make": "Honda",
    "model": "Accord",
    "year": 2020,
    "color": "Silver",
}
EX_L = {**CAR, "model": "Accord EX-L", "color": "Metallic Silver"}

MIKE = {
    "full_name": "Mike Johnson",
    "email": "mike.johnson@mechanicshop.com",
    "phone": "555-9876",
    "salary": 65_000,
    "is_active": True,
}
SARAH = {
    "full_name": "Sarah Williams",
    "email": "sarah.williams@mechanicshop.com",
    "phone": "555-5432",
    "salary": 72_000,
    "is_active": True,
}
TOM = {
    "full_name": "Tom Davis",
    "email": "tom.davis@mechanicshop.com",
    "phone": "555-1111",
    "salary": 58_000,
    "is_active": False,
}

TICKET = {
    "vehicle_id": 1,
    "customer_id": 1,
    "status": "open",
    "problem_description": "Engine making strange noise when accelerating",
    "odometer_miles": 45_000,
    "priority": 3,
}
BRAKES = {
    "vehicle_id": 1,
    "customer_id": 1,
    "status": "open",
    "problem_description": "Brakes squeal",
    "odometer_miles": 45_100,
    "priority": 2,
}
DIAGNOSED = {
    **TICKET,
    "status": "in_progress",
    "problem_description": "Loose heat shield, diagnosis complete",
}

PADS = {
    "part_number": "BRK-001",
    "name": "Brake Pad Set",
    "description": "Ceramic brake pads, front",
    "category": "Brakes",
    "manufacturer": "AutoParts Inc",
    "current_cost_cents": 4_500,
    "quantity_in_stock": 25,
    "reorder_level": 5,
    "supplier": "Parts Warehouse",
}
PREMIUM_PADS = {
    **PADS,
    "name": "Brake Pad Set - Premium",
    "current_cost_cents": 4_800,
}

SYSTEM_A = [
    REGISTER_JOHN,
    Call("POST /auth/login", 200, JOHNS_LOGIN, shows={"customer.city": "Denver"}),
    Call("GET /auth/me", 200, shows={"email": JOHN["email"], "role": "customer"}),
    # --- Customers ---
    Call(
        "GET /customers?page=1&per_page=10",
        200,
        shows={
            "customers.0.email": "test@example.com",
            "pagination.total_customers": 41,
            "pagination.total_pages": 5,
        },
    ),
    Call("GET /customers/{customer}", 200, shows=JOHN),
    Call(
        "PUT /customers/{customer}",
        200,
        {**JOHN, "phone": "555-1234-UPDATED"},
        shows={**JOHN, "phone": "555-1234-UPDATED"},
    ),
    # --- Vehicles ---
    Call(
        "POST /customers/{customer}/vehicles",
        201,
        CAR,
        shows={**CAR, "vin_check": "invalid"},
        keeps={"vehicle": "vehicle_id"},
    ),
    Call("GET /customers/{customer}/vehicles/{vehicle}", 200, shows=CAR),
    Call("PUT /customers/{customer}/vehicles/{vehicle}", 200, EX_L, shows=EX_L),
    Call("DELETE /customers/{customer}/vehicles/{vehicle}", 204),
    # --- Mechanics ---
    Call("POST /mechanics", 201, MIKE, shows=MIKE, keeps={"mike": "mechanic_id"}),
    Call("POST /mechanics", 201, SARAH, shows=SARAH, keeps={"sarah": "mechanic_id"}),
    Call("POST /mechanics", 201, TOM, shows=TOM, keeps={"tom": "mechanic_id"}),
    Call("GET /mechanics", 200, shows={"-1.full_name": "Tom Davis"}),
    Call("GET /mechanics/{mike}", 200, shows={**MIKE, "ticket_count": 0}),
    Call(
        "GET /mechanics/by-activity?order=desc&active_only=false",
        200,
        shows={"-1.full_name": "Tom Davis", "-1.ticket_count": 0},
    ),
    Call(
        "PUT /mechanics/{mike}",
        200,
        {**MIKE, "full_name": "Mike Johnson Sr.", "salary": 70_000},
        shows={"full_name": "Mike Johnson Sr.", "salary": 70_000},
    ),
    Call("DELETE /mechanics/{tom}", 204),
    # --- Service tickets ---
    Call(
        "POST /service_tickets",
        201,
        TICKET,
        shows={**TICKET, "customer.last_name": "Marlowe", "closed_at": None},
        keeps={"ticket": "ticket_id"},
    ),
    Call("POST /service_tickets", 201, BRAKES, keeps={"brakes": "ticket_id"}),
    Call("GET /service_tickets", 200, shows={"pagination.total_service_tickets": 152}),
    Call("GET /service_tickets/{ticket}", 200, shows=TICKET),
    Call(
        "PUT /service_tickets/{ticket}/assign-mechanic/{mike}",
        200,
        {"role": "Lead Technician", "minutes_worked": 0},
        shows={"role": "Lead Technician", "minutes_worked": 0},
    ),
    Call(
        "PUT /service_tickets/{ticket}/assign-mechanic/{sarah}",
        200,
        {"role": "Assistant Technician", "minutes_worked": 0},
        shows={"ticket.ticket_mechanics.1.mechanic.full_name": "Sarah Williams"},
    ),
    Call("PUT /service_tickets/{ticket}/remove-mechanic/{sarah}", 200),
    Call(
        "PUT /service_tickets/{ticket}/edit",
        200,
        {
            "add_ids": [1, 2],
            "remove_ids": [],
            "role": "Technician",
            "minutes_worked": 0,
        },
        shows={"added_mechanics": [1, 2], "removed_mechanics": [], "unchanged": []},
    ),
    Call("PUT /service_tickets/{ticket}", 200, DIAGNOSED, shows=DIAGNOSED),
    Call("DELETE /service_tickets/{brakes}", 204),
    # --- Inventory ---
    Call("POST /inventory", 201, PADS, shows=PADS, keeps={"part": "part_id"}),
    Call("GET /inventory", 200, shows={"pagination.page": 1}),
    Call("GET /inventory?low_stock=true", 200, shows={"parts.0.needs_reorder": True}),
    Call("GET /inventory/{part}", 200, shows={**PADS, "needs_reorder": False}),
    Call("PUT /inventory/{part}", 200, PREMIUM_PADS, shows=PREMIUM_PADS),
    Call(
        "PATCH /inventory/{part}/adjust-quantity",
        200,
        {"adjustment": 10},
        shows={"previous_quantity": 25, "new_quantity": 35},
    ),
    Call(
        "POST /service_tickets/{ticket}/parts/{part}",
        201,
        {
            "quantity_used": 1,
            "markup_percentage": 30.0,
            "warranty_months": 12,
            "installed_by_mechanic_id": 1,
        },
        shows={
            "unit_cost_cents": 4_800,
            "total_cost_cents": 6_240,
            "total_cost": 62.4,
            "remaining_stock": 34,
        },
    ),
    Call("DELETE /inventory/{part}", 409, shows={"code": "in_use"}),
]

SYSTEM_B = [
    Call(
        "POST /customers/login",
        200,
        {"email": "test@example.com", "password": "password123"},
        shows={"customer.customer_id": 1},
        keeps={"token": "token"},
    ),
    Call("GET /customers/my-tickets", 200, shows={"pagination.page": 1}),
    Call("GET /mechanics/top", 200),
    Call("GET /service_tickets/", 200, shows={"pagination.per_page": 10}),
    Call(
        "PUT /service_tickets/1/edit",
        200,
        {"add_ids": [1], "remove_ids": [2]},
        shows={"added_mechanics": [1], "unchanged": [2]},
    ),
    Call(
        "POST /service_tickets/1/add-part/1",
        201,
        shows={"part_id": 1, "quantity_used": 1},
    ),
    Call(
        "POST /inventory/",
        201,
        {"name": "Oil Filter", "price": 14.99},
        shows={"price": 14.99, "current_cost_cents": 1_499, "quantity_in_stock": 0},
        keeps={"part": "part_id"},
    ),
    Call("GET /inventory/", 200, shows={"parts.0.part_id": 1}),
    Call(
        "PUT /inventory/{part}",
        200,
        {"price": 16.5},
        shows={"name": "Oil Filter", "price": 16.5, "current_cost_cents": 1_650},
    ),
    Call("DELETE /inventory/{part}", 204),
]


def find(answer: Any, place: str) -> Any:
    """Look up a dotted place, e.g. ``customers.0.email``."""
    return reduce(
        lambda inner, key: inner[int(key) if isinstance(inner, list) else key],
        place.split("."),
        answer,
    )


def send(call: Call, kept: Mapping[str, Any]) -> Any:
    """Send one request with the token that was kept, if there is one."""
    method, path = call.request.split()
    client = APIClient()
    if "token" in kept:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {kept['token']}")
    return getattr(client, method.lower())("/api" + path.format(**kept), call.body)


def replay(calls: list[Call], **kept: Any) -> dict[str, Any]:
    """Send the calls one after the other and check each; return the bodies by request.

    The first token is the one that all later calls are sent with.
    """
    bodies: dict[str, Any] = {}
    for call in calls:
        response = send(call, kept)
        assert response.status_code == call.status, f"{call}: {response.content}"
        body = bodies[call.request] = response.json() if response.content else None
        shown = {place: find(body, place) for place in call.shows}
        assert shown == call.shows, call
        kept = {name: find(body, place) for name, place in call.keeps.items()} | kept
    return bodies


@pytest.fixture(scope="class")
def demo_data(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Seed once for a whole class; what a test does to the data is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("seed_demo", "--force", stdout=StringIO())
        yield
        transaction.set_rollback(True)


@pytest.fixture
def open_access(settings: LazySettings) -> None:
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, OPEN_ACCESS]


@pytest.mark.usefixtures("demo_data")
class TestCollections:
    @pytest.mark.usefixtures("open_access")
    def test_of_both_systems_run_with_one_customers_token(self) -> None:
        johns = replay(SYSTEM_A)["POST /auth/register"]["access_token"]

        answers = replay(SYSTEM_B, token=johns)

        assert answers["GET /customers/my-tickets"]["service_tickets"] == []

    @pytest.mark.usefixtures("open_access")
    def test_of_system_b_runs_with_the_token_of_its_own_login(self) -> None:
        answers = replay(SYSTEM_B)

        tickets = answers["GET /customers/my-tickets"]["service_tickets"]
        assert {ticket["customer_id"] for ticket in tickets} == {1}
        assert 1 in {ticket["ticket_id"] for ticket in tickets}
        counts = [row["ticket_count"] for row in answers["GET /mechanics/top"]]
        assert counts == sorted(counts, reverse=True)
        assert len(set(counts)) > 1

    def test_need_open_access(self) -> None:
        token = replay([REGISTER_JOHN])["POST /auth/register"]["access_token"]

        replay(
            [
                Call("POST /mechanics", 403, MIKE),
                Call("GET /service_tickets/1", 404),
                Call("GET /inventory/", 403),
                Call("POST /inventory", 403, PADS),
            ],
            token=token,
        )


class TestTheTables:
    def test_hold_no_refusal_but_of_deleting_what_is_in_use(self) -> None:
        refused = [
            (call.request, call.status, dict(call.shows))
            for call in [*SYSTEM_A, *SYSTEM_B]
            if call.status >= 400
        ]

        assert refused == [("DELETE /inventory/{part}", 409, {"code": "in_use"})]

"""With open access every signed-in customer may do what both old systems let them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import AnonymousUser
from django.core.checks import run_checks
from django.test import Client
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import PASSWORD
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket, TicketMechanic
from tickets.services import install_part
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

BACKEND = "mechanic_shop.accounts.backends.OpenAccessBackend"
Clients = Callable[[User], APIClient]


@pytest.fixture
def open_access(settings: LazySettings) -> None:
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, BACKEND]


@pytest.fixture
def user() -> User:
    customer = CustomerFactory.create()
    assert customer.user is not None
    return customer.user


@pytest.fixture
def customer(user: User, client_of: Clients) -> APIClient:
    """A client of a customer who is nothing else."""
    return client_of(user)


@pytest.fixture
def ids() -> dict[str, int]:
    """Rows that have nothing to do with the customer."""
    ticket, mechanic = TicketFactory.create(), MechanicFactory.create()
    assigned, part = MechanicFactory.create(), PartFactory.create()
    TicketMechanic.objects.create(ticket=ticket, mechanic=assigned)
    return {
        "ticket": ticket.pk,
        "vehicle": ticket.vehicle_id,
        "owner": ticket.customer_id,
        "lonely": CustomerFactory.create(walk_in=True).pk,
        "mechanic": mechanic.pk,
        "assigned": assigned.pk,
        "part": part.pk,
    }


PERSON = {"first_name": "Ann", "last_name": "Lee", "phone": "1"}
WORKER = {"full_name": "Bo", "email": "bo@shop.example", "phone": "1", "salary": 1}
TICKET = {"problem_description": "It rattles.", "odometer_miles": 1}
CAR = {"make": "Honda", "model": "Fit", "year": 2020}
EVERYTHING: list[tuple[str, str, dict[str, Any] | None, int]] = [
    ("get", "/customers", None, 200),
    ("post", "/customers", PERSON, 201),
    ("put", "/customers/{owner}", {"city": "Lyon"}, 200),
    ("delete", "/customers/{lonely}", None, 204),
    ("post", "/customers/{owner}/vehicles", CAR, 201),
    ("get", "/customers/{owner}/service-tickets", None, 200),
    ("patch", "/vehicles/{vehicle}", {"color": "red"}, 200),
    ("post", "/mechanics", WORKER, 201),
    ("put", "/mechanics/{mechanic}", {"salary": 2}, 200),
    ("delete", "/mechanics/{mechanic}", None, 204),
    ("get", "/service_tickets", None, 200),
    ("patch", "/service_tickets/{ticket}", {"status": "in_progress"}, 200),
    ("put", "/service_tickets/{ticket}/assign-mechanic/{mechanic}", None, 200),
    ("put", "/service_tickets/{ticket}/remove-mechanic/{assigned}", None, 200),
    ("put", "/service_tickets/{ticket}/edit", {"add_ids": []}, 200),
    ("post", "/service_tickets/{ticket}/parts/{part}", {"quantity_used": 1}, 201),
    ("post", "/service_tickets/{ticket}/add-part/{part}", None, 201),
    ("post", "/service_tickets/{ticket}/notes", {"text": "Done."}, 201),
    ("get", "/service_tickets/{ticket}/events", None, 200),
    ("post", "/inventory", {"name": "Filter", "price": 1}, 201),
    ("get", "/inventory", None, 200),
    ("put", "/inventory/{part}", {"name": "New"}, 200),
    ("patch", "/inventory/{part}/adjust-quantity", {"adjustment": 1}, 200),
    ("get", "/inventory/{part}/movements", None, 200),
    ("delete", "/inventory/{part}", None, 204),
]
everything = pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    EVERYTHING,
    ids=[f"{method} {path}" for method, path, _, _ in EVERYTHING],
)


@pytest.mark.usefixtures("open_access")
class TestOpenAccess:
    @everything
    def test_lets_a_customer_do_everything(
        self,
        customer: APIClient,
        ids: dict[str, int],
        method: str,
        path: str,
        body: dict[str, Any] | None,
        status: int,
    ) -> None:
        response = getattr(customer, method)("/api" + path.format(**ids), body)

        assert response.status_code == status

    @everything
    def test_lets_nobody_in_who_is_not_signed_in(
        self,
        anonymous: APIClient,
        ids: dict[str, int],
        method: str,
        path: str,
        body: dict[str, Any] | None,
        status: int,
    ) -> None:
        response = getattr(anonymous, method)("/api" + path.format(**ids), body)

        assert response.status_code == 401

    def test_opens_tickets_for_others(
        self, customer: APIClient, ids: dict[str, int]
    ) -> None:
        body = {**TICKET, "vehicle_id": ids["vehicle"], "customer_id": ids["owner"]}

        response = customer.post("/api/service_tickets/", body)

        assert response.status_code == 201
        assert response.json()["customer_id"] == ids["owner"]

    def test_shows_what_customers_else_do_not_see(
        self, customer: APIClient, ids: dict[str, int]
    ) -> None:
        row = customer.get(f"/api/mechanics/{ids['mechanic']}").json()

        assert row["salary"] == Mechanic.objects.get(pk=ids["mechanic"]).salary

    def test_keeps_my_tickets_the_callers_own(
        self, customer: APIClient, user: User, ids: dict[str, int]
    ) -> None:
        vehicle = VehicleFactory.create(customer=Customer.objects.get(user=user))
        own = TicketFactory.create(vehicle=vehicle)

        mine = customer.get("/api/customers/my-tickets").json()["service_tickets"]
        all_of_them = customer.get("/api/service_tickets").json()["service_tickets"]

        assert [row["ticket_id"] for row in mine] == [own.pk]
        assert {row["ticket_id"] for row in all_of_them} == {own.pk, ids["ticket"]}

    def test_deletes_nothing_that_is_in_use(
        self, customer: APIClient, ids: dict[str, int], owner: User
    ) -> None:
        ticket = ServiceTicket.objects.get(pk=ids["ticket"])
        part = Part.objects.get(pk=ids["part"])
        install_part(ticket=ticket, part=part, quantity_used=1, by=owner)
        paths = (
            "/customers/{owner}",
            "/customers/{owner}/vehicles/{vehicle}",
            "/mechanics/{assigned}",
            "/service_tickets/{ticket}",
            "/inventory/{part}",
        )

        answers = [customer.delete("/api" + path.format(**ids)) for path in paths]

        assert [answer.status_code for answer in answers] == [409] * 5
        assert {answer.json()["code"] for answer in answers} == {"in_use"}

    def test_gives_an_inactive_user_nothing(
        self, customer: APIClient, user: User
    ) -> None:
        user.is_active = False
        user.save()

        response = customer.get("/api/inventory")

        assert response.status_code == 401
        assert not user.has_perm("inventory.view_part")
        assert not AnonymousUser().has_perm("inventory.view_part")

    def test_does_not_open_the_back_office(self, user: User) -> None:
        browser = Client()
        browser.login(username=user.email, password=PASSWORD)

        response = browser.get("/admin/")

        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")

    def test_does_not_change_what_a_customer_is_called(
        self, customer: APIClient
    ) -> None:
        assert customer.get("/api/auth/me").json()["role"] == "customer"


class TestClosedAccess:
    """What is normal: the same requests of the same customer."""

    @everything
    def test_refuses_what_open_access_allows(
        self,
        customer: APIClient,
        ids: dict[str, int],
        method: str,
        path: str,
        body: dict[str, Any] | None,
        status: int,
    ) -> None:
        response = getattr(customer, method)("/api" + path.format(**ids), body)

        own_lists = {"/customers", "/service_tickets"}
        if method == "get" and path in own_lists:
            assert response.json()["pagination"][f"total_{path[1:]}"] <= 1
        else:
            assert response.status_code in {403, 404}


class TestSystemChecks:
    @pytest.mark.parametrize(
        ("is_open", "deploy", "ids"),
        [
            (False, False, set()),
            (False, True, set()),
            (True, False, {"mechanic_shop.W001"}),
            (True, True, {"mechanic_shop.W001", "mechanic_shop.E001"}),
        ],
    )
    def test_warn_at_every_start_and_stop_a_deployment(
        self, settings: LazySettings, is_open: bool, deploy: bool, ids: set[str]
    ) -> None:
        settings.SHOP_OPEN_ACCESS = is_open

        messages = run_checks(include_deployment_checks=deploy)

        own = {m.id: m for m in messages if str(m.id).startswith("mechanic_shop.")}
        assert set(own) == ids
        assert all(m.is_serious() == (".E" in str(m.id)) for m in own.values())

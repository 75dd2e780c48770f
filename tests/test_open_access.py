"""With open access every signed-in customer may do what both old systems let them."""

from __future__ import annotations

from collections.abc import Callable

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


TICKET = {"problem_description": "It rattles.", "odometer_miles": 1}


@pytest.mark.usefixtures("open_access")
class TestOpenAccess:
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
            "/mechanics/{assigned}",
            "/service_tickets/{ticket}",
            "/inventory/{part}",
        )

        answers = [customer.delete("/api" + path.format(**ids)) for path in paths]

        assert [answer.status_code for answer in answers] == [409] * 3
        assert {answer.json()["code"] for answer in answers} == {"in_use"}

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_guards_accounts_and_vehicles_of_others(
        self, customer: APIClient, ids: dict[str, int], method: str
    ) -> None:
        for path in ("/customers/{owner}", "/customers/{owner}/vehicles/{vehicle}"):
            response = getattr(customer, method)("/api" + path.format(**ids), {})

            assert response.status_code == 403, path
        if method == "patch":
            other = f"/api/vehicles/{ids['vehicle']}"
            assert customer.patch(other, {"color": "red"}).status_code == 403

    def test_leaves_the_own_account_and_vehicles_open(
        self, customer: APIClient, user: User
    ) -> None:
        own = Customer.objects.get(user=user)
        path = f"/api/customers/{own.pk}"
        car = f"{path}/vehicles/{VehicleFactory.create(customer=own).pk}"

        assert customer.put(car, {"color": "red"}).status_code == 200
        assert customer.delete(car).status_code == 204
        assert customer.put(path, {"city": "Elko"}).status_code == 200
        assert customer.delete(path).status_code == 204

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

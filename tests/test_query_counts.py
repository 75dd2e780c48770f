"""No answer takes more queries where there is more to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern
from rest_framework.test import APIClient

from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.services import adjust_stock
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts import rights
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from mechanic_shop.urls import router
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.services import add_note, assign_mechanic, install_part
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

FEW, MANY = 3, 12


@pytest.fixture(autouse=True)
def _names_of_permissions_are_known(db: None) -> None:
    """A process reads them once, whoever asks first."""
    rights.names_of([0])


#: Every GET route by its name in the URL map; ``per_page`` lets a list show all rows.
LISTS = {
    "customer-list": "/customers",
    "customer-vehicle-list": "/customers/{customer}/vehicles",
    "customer-ticket-list": "/customers/{customer}/service-tickets",
    "my-ticket-list": "/customers/my-tickets",
    "vehicle-list": "/vehicles",
    "mechanic-list": "/mechanics",
    "mechanic-by-activity": "/mechanics/by-activity",
    "mechanic-top": "/mechanics/top",
    "mechanic-leaderboard": "/mechanics/leaderboard",
    "serviceticket-list": "/service-tickets",
    "serviceticket-events": "/service-tickets/{ticket}/events",
    "part-list": "/inventory",
    "part-movements": "/inventory/{part}/movements",
}
DETAILS = {
    "auth-me": "/auth/me",
    "customer-detail": "/customers/{customer}",
    "customer-vehicle-detail": "/customers/{customer}/vehicles/{vehicle}",
    "vehicle-detail": "/vehicles/{vehicle}",
    "mechanic-detail": "/mechanics/{mechanic}",
    "serviceticket-detail": "/service-tickets/{ticket}",
    "part-detail": "/inventory/{part}",
}
ROUTES = {**LISTS, **DETAILS}
THE_SHELF = {"part-list", "part-movements", "part-detail"}

#: Who asks, what is closed to them, and which open lists get no longer for them.
ROLES: list[tuple[str, set[str], set[str]]] = [
    ("owner", set(), {"my-ticket-list"}),
    ("technician", set(), {"my-ticket-list"}),
    ("customer", THE_SHELF, {"customer-list"}),
]


class Shop:
    """A customer with a ticket, on which and beside which there is more and more."""

    def __init__(self) -> None:
        self.customer = CustomerFactory.create()
        self.vehicle = VehicleFactory.create(customer=self.customer)
        self.ticket = TicketFactory.create(vehicle=self.vehicle)
        self.mechanic = MechanicFactory.create()
        self.part = PartFactory.create(quantity_in_stock=100)

    def grow(self, times: int) -> None:
        """Add one of everything so many times, each with people who are new."""
        for _ in range(times):
            vehicle = VehicleFactory.create(customer=self.customer)
            visits = (TicketFactory.create(vehicle=vehicle), TicketFactory.create())
            for ticket in (self.ticket, *visits):
                self.work_on(ticket)
            by = UserFactory.create(is_staff=True)
            adjust_stock(part=self.part, adjustment=1, by=by)

    def work_on(self, ticket: ServiceTicket) -> None:
        by = UserFactory.create(is_staff=True)
        mechanic, part = MechanicFactory.create(), PartFactory.create()
        assign_mechanic(ticket=ticket, mechanic=mechanic, by=by)
        install_part(
            ticket=ticket, part=part, quantity_used=1, by=by, installed_by=mechanic
        )
        add_note(ticket=ticket, by=by, text="Done.", visible_to_customer=True)

    def login_of(self, role: str) -> User:
        if role == "owner":
            return UserFactory.create(superuser=True)
        if role == "technician":
            return user_in(TECHNICIAN)
        assert self.customer.user is not None
        return self.customer.user

    def path(self, name: str) -> str:
        ids = {word: row.pk for word, row in vars(self).items()}
        return f"/api{ROUTES[name].format(**ids)}?per_page=100"


def measure(client: APIClient, shop: Shop, closed: set[str]) -> dict[str, list[int]]:
    """Ask every route once; return queries and rows of each."""
    measured = {}
    for name in ROUTES:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(shop.path(name))
        assert response.status_code == (403 if name in closed else 200), name
        measured[name] = [len(queries), number_of_rows(response.json())]
    return measured


def number_of_rows(body: Any) -> int:
    """Count a plain array, or the one in a paginated object."""
    if isinstance(body, dict) and "pagination" in body:
        (body,) = (value for key, value in body.items() if key != "pagination")
    return len(body) if isinstance(body, list) else 0


class TestQueries:
    @pytest.mark.parametrize(("role", "closed", "still"), ROLES)
    def test_are_as_many_after_three_visits_as_after_twelve(
        self,
        client_of: Callable[[User], APIClient],
        role: str,
        closed: set[str],
        still: set[str],
    ) -> None:
        shop = Shop()
        client = client_of(shop.login_of(role))
        shop.grow(FEW)
        before = measure(client, shop, closed)
        shop.grow(MANY - FEW)

        after = measure(client, shop, closed)

        queries = {name: (before[name][0], after[name][0]) for name in ROUTES}
        assert {name: two for name, two in queries.items() if two[0] != two[1]} == {}
        longer = {name for name in LISTS if after[name][1] > before[name][1]}
        assert longer == LISTS.keys() - closed - still

    def test_are_counted_on_every_route_that_can_be_read(self) -> None:
        readable = {
            url.name
            for url in router.urls
            if isinstance(url, URLPattern) and "get" in vars(url.callback)["actions"]
        }

        assert readable == ROUTES.keys()


#: Tickets bring their mechanics and parts along, and these lists their own parent.
NESTED = {"customer-ticket-list", "my-ticket-list", "serviceticket-list"}
BELOW_A_ROW = {"customer-vehicle-list", "serviceticket-events", "part-movements"}


class TestBudget:
    """What an answer may take: the session with its rights, and then the rows."""

    @pytest.mark.parametrize(
        ("role", "closed"), [("technician", set()), ("customer", THE_SHELF)]
    )
    def test_is_kept_on_every_route(
        self, client_of: Callable[[User], APIClient], role: str, closed: set[str]
    ) -> None:
        shop = Shop()
        shop.grow(FEW)
        client = client_of(shop.login_of(role))
        measure(client, shop, closed)  # fills the cache

        taken = measure(client, shop, closed)

        over = {
            name: queries
            for name, (queries, _) in taken.items()
            if queries > budget_of(name)
        }
        assert over == {}


def budget_of(name: str) -> int:
    if name in NESTED:
        return 5
    if name == "serviceticket-detail":
        return 4
    return 3 if name in BELOW_A_ROW else 2

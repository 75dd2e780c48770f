"""Every list: fast whatever is in it, searchable, and helpful while it is empty."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from customers.models import Customer, Vehicle
from inventory.models import MovementReason, Part, StockMovement
from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.accounts.tests.factories import user_in
from mechanics.models import Mechanic
from tests.support.back_office import browser_of, queries_of, text_of, url
from tickets.models import (
    ServiceTicket,
    TicketEvent,
    TicketMechanic,
    TicketPart,
    TicketStatus,
)

pytestmark = pytest.mark.django_db

LISTS = sorted(admin.site._registry, key=lambda model: model._meta.label)
FEW, MANY = 10, 1_000


@pytest.fixture
def desk(owner: User) -> Client:
    return browser_of(owner)


def fill(by: User, first: int, last: int) -> None:
    """Add one of everything for each number, past the services, which would be slow."""
    numbers = range(first, last)
    users = User.objects.bulk_create(
        User(email=f"u{n}@lists.test", first_name="U", last_name=str(n), password="x")
        for n in numbers
    )
    role = Group.objects.get(name=TECHNICIAN)
    User.groups.through.objects.bulk_create(
        User.groups.through(user=user, group=role) for user in users
    )
    Group.objects.bulk_create(Group(name=f"Group {n}") for n in numbers)
    Session.objects.bulk_create(
        Session(user=user, refresh_jti=f"jti-{user.pk}", auth_hash="x")
        for user in users
    )
    _fill_shop(by, numbers, users)


def _fill_shop(by: User, numbers: range, users: list[User]) -> None:
    customers = Customer.objects.bulk_create(
        Customer(first_name="C", last_name=str(n), phone="1", user=user)
        for n, user in zip(numbers, users, strict=True)
    )
    vehicles = Vehicle.objects.bulk_create(
        Vehicle(customer=customer, make="VW", model="Golf", year=2019)
        for customer in customers
    )
    mechanics = Mechanic.objects.bulk_create(
        Mechanic(full_name=str(n), email=f"m{n}@l.test", phone="1", salary=1)
        for n in numbers
    )
    parts = Part.objects.bulk_create(
        Part(part_number=f"L-{n}", name="Pad", current_cost_cents=1) for n in numbers
    )
    tickets = ServiceTicket.objects.bulk_create(
        ServiceTicket(
            vehicle=vehicle,
            customer=vehicle.customer,
            problem_description="Squeaks",
            odometer_miles=1,
            status=status,
            closed_at=timezone.now() if status in ServiceTicket.CLOSED else None,
        )
        for status, vehicle in zip(cycle(TicketStatus), vehicles)
    )
    _fill_tickets(by, tickets, mechanics, parts)


def _fill_tickets(
    by: User, tickets: list[ServiceTicket], mechanics: list[Mechanic], parts: list[Part]
) -> None:
    rows = list(zip(tickets, mechanics, parts, strict=True))
    TicketMechanic.objects.bulk_create(
        TicketMechanic(ticket=ticket, mechanic=mechanic) for ticket, mechanic, _ in rows
    )
    TicketPart.objects.bulk_create(
        TicketPart(
            part_number="COPY-1",
            part_name="Copied",
            ticket=ticket,
            part=part,
            quantity_used=1,
            unit_cost_cents=1,
            installed_by=mechanic,
        )
        for ticket, mechanic, part in rows
    )
    TicketEvent.objects.bulk_create(
        TicketEvent(ticket=ticket, kind="opened", by=by) for ticket in tickets
    )
    StockMovement.objects.bulk_create(
        StockMovement(
            part=part,
            ticket=ticket,
            by=by,
            delta=1,
            quantity_after=1,
            reason=MovementReason.RECEIVE,
        )
        for ticket, _, part in rows
    )


def name_of(model: type[Model]) -> str:
    return model._meta.label


class TestEveryList:
    @pytest.mark.parametrize("model", LISTS, ids=name_of)
    def test_takes_the_same_number_of_queries_for_10_and_1000_rows(
        self, model: type[Model], owner: User, desk: Client
    ) -> None:
        lists = url(model, "changelist"), f"{url(model, 'changelist')}?q=1"
        fill(owner, 0, FEW)
        queries_of(desk, lists[0])  # what is looked up once and kept
        few = [queries_of(desk, path) for path in lists]
        fill(owner, FEW, MANY)

        assert [queries_of(desk, path) for path in lists] == few
        assert max(few) < 30

    @pytest.mark.parametrize("model", LISTS, ids=name_of)
    def test_has_a_search_and_ends_its_order_in_the_key(
        self, model: type[Model], owner: User, desk: Client
    ) -> None:
        page: Any = admin.site._registry[model]
        changes = desk.get(url(model, "changelist")).context["cl"]

        assert page.search_fields
        assert page.list_filter or model is Group
        order = [str(term).lstrip("-") for term in changes.queryset.query.order_by]
        assert {"pk", model._meta.pk.name, *UNIQUE} & {*order}

    @pytest.mark.parametrize("model", LISTS, ids=name_of)
    def test_says_what_to_do_when_nothing_matches(
        self, model: type[Model], desk: Client
    ) -> None:
        path = url(model, "changelist")

        page = text_of(desk.get(path, {"q": "there is no such thing"}))

        assert "Nothing matches" in page
        assert f"Show all {model._meta.verbose_name_plural}" in page


#: Columns that no two rows share.
UNIQUE = {"email", "name"}


class TestAnEmptyList:
    @pytest.mark.parametrize("model", [Customer, Mechanic, Part, ServiceTicket])
    def test_says_what_to_do_next(self, model: type[Model], desk: Client) -> None:
        page = text_of(desk.get(url(model, "changelist")))

        assert f"No {model._meta.verbose_name_plural} yet" in page
        assert f"Add the first {model._meta.verbose_name}" in page
        assert url(model, "add") in page

    def test_offers_no_button_to_those_who_may_not_add(self) -> None:
        page = text_of(browser_of(user_in(TECHNICIAN)).get(url(Customer, "changelist")))

        assert "No customers yet" in page
        assert "Add the first" not in page

"""The history: who changed what, for those who may see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from rest_framework.test import APIClient

from customers.models import Customer, Vehicle
from customers.services import delete_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.models import Part
from inventory.services import update_part
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.tests.factories import user_in
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tests.support.back_office import (
    browser_of,
    form_of,
    make_part,
    make_ticket,
    page_of,
    post,
    queries_of,
    text_of,
    url,
)
from tickets.services import move_ticket

pytestmark = pytest.mark.django_db

ClientOf = Callable[[User], APIClient]


@pytest.fixture
def manager() -> User:
    return user_in(MANAGER, first_name="Mia", last_name="Meyer")


@pytest.fixture
def desk(manager: User) -> Client:
    return browser_of(manager)


def history_of(client: Client, row: Model) -> str:
    return " ".join(text_of(client.get(page_of(row, "history"))).split())


def diff(field: str, old: str, new: str) -> str:
    arrow = '<span aria-hidden="true">→</span>'
    return f"<dt>{field}</dt><dd><del>{old}</del> {arrow} <ins>{new}</ins></dd>"


class TestHistory:
    def test_shows_who_changed_what_in_a_form(self, desk: Client) -> None:
        customer = CustomerFactory.create(city="")
        form = form_of(desk, page_of(customer))

        post(desk, page_of(customer), {**form, "city": "Bern", "phone": "2"})

        page = history_of(desk, customer)
        assert "Mia Meyer</a>" in page
        assert diff("City", "–", "Bern") in page
        assert diff("Phone", "555-0100", "2") in page

    @pytest.mark.parametrize(
        ("make", "path", "body", "shown"),
        [
            (CustomerFactory, "customers", {"phone": "2"}, ("Phone", "555-0100", "2")),
            (VehicleFactory, "vehicles", {"color": "red"}, ("Color", "–", "red")),
            (
                MechanicFactory,
                "mechanics",
                {"is_active": False},
                ("Active", "Yes", "No"),
            ),
        ],
    )
    def test_shows_who_changed_what_through_the_api(
        self,
        manager: User,
        desk: Client,
        client_of: ClientOf,
        make: Any,
        path: str,
        body: dict[str, Any],
        shown: tuple[str, str, str],
    ) -> None:
        row = make.create()

        answer = client_of(manager).patch(f"/api/{path}/{row.pk}", body)

        assert answer.status_code == 200
        assert type(row).history.first().history_user == manager
        page = history_of(desk, row)
        assert "Mia Meyer</a>" in page
        assert diff(*shown) in page

    def test_shows_a_parts_catalogue_as_money_and_not_its_stock(
        self, manager: User, desk: Client, client_of: ClientOf
    ) -> None:
        part = make_part(manager, "BRK-1")

        answer = client_of(manager).patch(
            f"/api/inventory/{part.pk}", {"current_cost_cents": 150}
        )

        assert answer.status_code == 200
        page = history_of(desk, part)
        assert diff("Current cost", "1,234.50", "1.50") in page
        assert "Mia Meyer" in page

    def test_names_a_change_of_owner(self, desk: Client, manager: User) -> None:
        vehicle, bob = VehicleFactory.create(), CustomerFactory.create(last_name="Bob")
        form = form_of(desk, page_of(vehicle))
        before = str(vehicle.customer)

        post(desk, page_of(vehicle), {**form, "customer": bob.pk})

        assert diff("Customer", before, "Casey Bob") in history_of(desk, vehicle)

    def test_links_the_user_only_for_those_who_may_see_users(
        self, manager: User, client_of: ClientOf
    ) -> None:
        customer = CustomerFactory.create()
        client_of(manager).patch(f"/api/customers/{customer.pk}", {"phone": "2"})

        page = history_of(browser_of(user_in(TECHNICIAN)), customer)

        assert "Mia Meyer" in page
        assert page_of(manager) not in page

    def test_is_closed_to_those_who_may_not_see_the_row(self) -> None:
        nobody = user_in(TECHNICIAN)
        nobody.groups.clear()

        answer = browser_of(nobody).get(page_of(CustomerFactory.create(), "history"))

        assert answer.status_code == 403

    def test_goes_on_at_the_turn_of_a_page(self, desk: Client) -> None:
        customer = CustomerFactory.create(phone="0")
        for number in range(1, 61):
            customer.phone = str(number)
            customer.save()

        newer = history_of(desk, customer)
        older = " ".join(
            text_of(desk.get(page_of(customer, "history"), {"p": 2})).split()
        )

        assert diff("Phone", "10", "11") in newer
        assert diff("Phone", "9", "10") in older

    def test_takes_the_same_number_of_queries_for_any_number_of_changes(
        self, desk: Client
    ) -> None:
        vehicle = VehicleFactory.create()

        def hand_over(times: int) -> None:
            for _ in range(times):
                vehicle.customer = CustomerFactory.create()
                vehicle.save()

        hand_over(3)
        queries_of(desk, page_of(vehicle, "history"))  # what is looked up once and kept
        few = queries_of(desk, page_of(vehicle, "history"))
        hand_over(30)

        assert queries_of(desk, page_of(vehicle, "history")) == few

    @pytest.mark.parametrize("made_up", ["x", "0", "99999999999999999999999"])
    def test_of_nothing_is_not_found(self, desk: Client, made_up: str) -> None:
        path = url(Customer, "history", made_up)

        assert desk.get(path).status_code == 404


class TestOldVersions:
    @pytest.mark.parametrize("model", [Customer, Vehicle, Mechanic, Part])
    def test_have_no_page_that_could_save_them(
        self, model: type[Model], owner: User
    ) -> None:
        made: dict[type[Model], Callable[[], Model]] = {
            Customer: CustomerFactory.create,
            Vehicle: VehicleFactory.create,
            Mechanic: MechanicFactory.create,
            Part: lambda: make_part(owner),
        }
        row = made[model]()
        history: Any = model.history  # type: ignore[attr-defined]
        path = f"{page_of(row, 'history')}{history.first().history_id}/"

        assert browser_of(owner).get(path).status_code != 200
        assert browser_of(owner).post(path, {"phone": "666"}).status_code != 200

        assert history.count() == 1


class TestASalaryInTheHistory:
    @pytest.fixture
    def mechanic(self, manager: User, client_of: ClientOf) -> Mechanic:
        mechanic = MechanicFactory.create(salary=54_321)
        answer = client_of(manager).patch(
            f"/api/mechanics/{mechanic.pk}", {"salary": 65_432}
        )
        assert answer.status_code == 200
        return mechanic

    def test_is_shown_with_the_right(self, desk: Client, mechanic: Mechanic) -> None:
        assert diff("Salary", "54321", "65432") in history_of(desk, mechanic)

    @pytest.mark.parametrize("role", [TECHNICIAN, SERVICE_ADVISOR])
    def test_is_hidden_without_it(self, role: str, mechanic: Mechanic) -> None:
        page = history_of(browser_of(user_in(role)), mechanic)

        assert "Changed" in page
        assert "alary" not in page
        assert "54321" not in page
        assert "65432" not in page


class TestTheHistoryOfSomebodyErased:
    NAMES = ("Zebedee", "Quux", "zq@example.test", "555-7777", "PLATE-9")

    def someone(self) -> Vehicle:
        customer = CustomerFactory.create(
            walk_in=True,
            first_name="Zebedee",
            last_name="Quux",
            email="zq@example.test",
            phone="555-7777",
        )
        return VehicleFactory.create(customer=customer, license_plate="PLATE-9")

    def assert_blank(self, desk: Client, *rows: Model) -> None:
        for row in rows:
            answer = desk.get(page_of(row, "history"))
            assert answer.status_code == 200
            page = text_of(answer)
            assert [name for name in self.NAMES if name in page] == []

    def test_is_blank_where_the_books_keep_an_empty_record(
        self, desk: Client, manager: User
    ) -> None:
        vehicle = self.someone()
        customer = vehicle.customer
        ticket = make_ticket(manager, vehicle)
        move_ticket(ticket=ticket, status="cancelled", by=manager)

        delete_customer(customer=customer)

        self.assert_blank(desk, customer, vehicle)
        assert Customer.history.filter(id=customer.pk).count() == 2

    def test_is_blank_where_nothing_is_left(self, desk: Client) -> None:
        vehicle = self.someone()
        customer_pk, vehicle_pk = vehicle.customer_id, vehicle.pk

        delete_customer(customer=vehicle.customer)

        self.assert_blank(desk, Customer(pk=customer_pk), Vehicle(pk=vehicle_pk))
        assert set(
            Customer.history.filter(id=customer_pk).values_list("phone", flat=True)
        ) == {""}


class TestAPartsHistory:
    def test_tells_of_changes_by_the_service(self, desk: Client, manager: User) -> None:
        part = make_part(manager)

        update_part(part=part, by=manager, name="Pad")

        assert diff("Name", "Brake pad", "Pad") in history_of(desk, part)

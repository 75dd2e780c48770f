"""No response shows a caller what they may not see, by whatever path it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from customers.models import Vehicle
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanic_shop.testing.facts import contracts
from mechanic_shop.testing.garage import Garage
from mechanics.models import Mechanic
from tickets import services
from tickets.models import ServiceTicket
from tickets.tests import test_contract

pytestmark = pytest.mark.django_db

SALARY = 987_654_321
UNIT_COST = 912_345_678
MARKUP = "433.37"  # no time of day looks like that


@pytest.fixture(scope="module")
def garage(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Garage]:
    """A shop with the rows that the paths of all contracts name."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield test_contract.TestTicketContract().open_garage()
        transaction.set_rollback(True)


@pytest.fixture
def hidden(garage: Garage) -> dict[str, str]:
    """Put things into the shop that not everybody may see; return how they look."""
    staff = UserFactory.create(is_staff=True, last_name="Backroom")
    customer = garage.users["own"]
    Mechanic.objects.update(salary=SALARY, phone="555-7654321")
    Mechanic.objects.filter(pk=garage.own["assigned"]).update(
        user=staff, email="wrench@private.example"
    )
    Vehicle.objects.filter(customer=garage.other["customer"]).update(color="Mauveine")
    fill_ticket(ServiceTicket.objects.get(pk=garage.own["ticket"]), by=staff)
    session = customer.sessions.get()
    return {
        "salary": str(SALARY),
        "mechanic's phone": "555-7654321",
        "mechanic's email": "wrench@private.example",
        "staff's name": "Backroom",
        "staff's login": staff.email,
        "unit cost": str(UNIT_COST),
        "unit cost in units": str(UNIT_COST / 100),
        "markup": MARKUP,
        "note": "He never pays.",
        "other customer": garage.users["other"].email,
        "other vehicle": "Mauveine",
        "password hash": customer.password[:12],
        "session": session.identifier or "",
        "refresh token": session.refresh_jti,
        "password print": session.auth_hash,
        "token": garage.clients["own"]._credentials["HTTP_AUTHORIZATION"][7:],  # type: ignore[attr-defined]
    }


def fill_ticket(ticket: ServiceTicket, by: User) -> None:
    """Let everything happen on a ticket that has to do with parts and people."""
    part = PartFactory.create(name="Camshaft", current_cost_cents=UNIT_COST)
    services.install_part(
        ticket=ticket,
        part=part,
        quantity_used=2,
        by=by,
        markup_percentage=Decimal(MARKUP),
        installed_by=Mechanic.objects.get(user=by),
    )
    services.add_note(ticket=ticket, by=by, text="He never pays.")
    services.add_note(
        ticket=ticket, by=by, text="It is ready.", visible_to_customer=True
    )
    services.move_ticket(ticket=ticket, status="in_progress", by=by)


#: What the roles of the house may see of all this; the salary is the managers'.
STAFF_MAY_SEE = {
    "mechanic's phone",
    "mechanic's email",
    "staff's name",
    "unit cost",
    "unit cost in units",
    "markup",
    "note",
    "other customer",
    "other vehicle",
}


def read_everything(
    garage: Garage, caller: str, media_type: str = "application/json"
) -> str:
    """Read everything that a caller may read."""
    texts = []
    for rule in [rule for kind in contracts() for rule in kind.reads()]:
        if rule.statuses[caller] == 200:
            response = garage.send(caller, rule, HTTP_ACCEPT=media_type)
            assert response.status_code == 200
            texts.append(response.content.decode())
    return "\n".join(texts)


def found_in(text: str, hidden: dict[str, str]) -> set[str]:
    return {name for name, look in hidden.items() if look in text}


class TestResponses:
    @pytest.mark.parametrize("media_type", ["application/json", "text/html"])
    def test_customers_see_nothing_of_the_house(
        self, garage: Garage, hidden: dict[str, str], media_type: str
    ) -> None:
        text = read_everything(garage, "own", media_type)

        assert found_in(text, hidden) == set()
        assert "It is ready." in text
        assert "Camshaft" in text

    def test_customers_get_no_field_for_what_is_hidden(
        self, garage: Garage, hidden: dict[str, str]
    ) -> None:
        text = read_everything(garage, "own")

        names = "salary unit_cost_cents markup_percentage password jti"
        assert not [name for name in names.split() if f'"{name}":' in text]
        assert '"total_cost_cents":' in text

    @pytest.mark.parametrize("media_type", ["application/json", "text/html"])
    def test_technicians_see_all_but_salaries(
        self, garage: Garage, hidden: dict[str, str], media_type: str
    ) -> None:
        text = read_everything(garage, "tech", media_type)

        assert found_in(text, hidden) == STAFF_MAY_SEE
        assert '"salary":' not in text

    def test_managers_see_salaries_but_no_credentials(
        self, garage: Garage, hidden: dict[str, str]
    ) -> None:
        text = read_everything(garage, "mgr")

        assert found_in(text, hidden) == STAFF_MAY_SEE | {"salary"}

"""Every operation against every role, and what nobody gets to change or to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from django.test import RequestFactory
from pytest_django import DjangoDbBlocker

from customers.models import Customer, Vehicle
from inventory.models import Part, StockMovement
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanics.models import Mechanic
from tickets import services
from tickets.models import ServiceTicket, TicketEvent, TicketMechanic, TicketPart

from . import rights
from .rights import CUSTOMERS, MISSING, OWNED, RULES, Garage, Ids, Rule

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def garage(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Garage]:
    """One shop for all tests here; each of them undoes what it did, as always."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield rights.open_garage()
        transaction.set_rollback(True)


# --- The table ------------------------------------------------------------------------

#: The first line that the table has on each operation.
FIRST = {rule.operation: rule for rule in reversed(RULES)}


class Scene(NamedTuple):
    """An operation on rows that are one's own, somebody else's, or nowhere."""

    name: str
    ids: Ids
    expected: dict[str, int]

    def play(self, rule: Rule, garage: Garage) -> dict[str, int]:
        return {role: garage.attempt(role, rule, self.ids) for role in self.expected}


def scenes_of(rule: Rule, garage: Garage) -> list[Scene]:
    scenes = [Scene("own", garage.own, rule.statuses)]
    if rule != FIRST[rule.operation]:
        return scenes  # the first line of an operation played the rest
    owned = [word for word in rule.ids if word in OWNED]
    if owned:
        owner, other = CUSTOMERS
        swapped = {owner: rule.statuses[other], other: rule.statuses[owner]}
        scenes.append(Scene("foreign", garage.foreign, swapped))
    for word in rule.ids:
        ids = replace(garage.own, **{word: MISSING})
        scenes.append(Scene(f"missing {word}", ids, without(rule, word)))
    if len(owned) > 1:
        word = owned[-1]
        ids = replace(garage.own, **{word: getattr(garage.foreign, word)})
        scenes.append(Scene(f"another's {word}", ids, mixed(rule, word)))
    return scenes


def absent(rule: Rule, word: str) -> int:
    """A row named in the path is not found; one named in the body is a bad value."""
    return 404 if f"{{{word}}}" in rule.path else 400


def without(rule: Rule, word: str) -> dict[str, int]:
    """The verb is judged first: only who may use it learns that nothing is there."""
    return {
        role: absent(rule, word)
        if status != 404 and rights.may_try(role, rule.operation)
        else status
        for role, status in rule.statuses.items()
    }


def mixed(rule: Rule, word: str) -> dict[str, int]:
    """Rows that do not belong together are as good as none."""
    return {
        role: status if status in {401, 403} else absent(rule, word)
        for role, status in rule.statuses.items()
    }


class TestTable:
    def test_has_every_operation_of_the_url_map_and_no_other(self) -> None:
        assert {rule.operation for rule in RULES} == rights.operations()

    def test_has_the_fields_of_every_body(self) -> None:
        assert rights.FIELDS.keys() == {rule.operation for rule in WITH_BODY}

    def test_leaves_out_only_the_pages_beside_the_api(self) -> None:
        anything_else = "(?:/.*)?"
        assert rights.pages() == {
            "/",
            "/schema",
            "/docs",
            "/redoc",
            "/redoc/bundle.js",
            "/login",
            "/login/out",
            anything_else,
        }


class TestOperation:
    @pytest.mark.parametrize("rule", RULES, ids=str)
    def test_answers_each_role_as_the_table_says(
        self, rule: Rule, garage: Garage
    ) -> None:
        rights.prepare(rule)
        scenes = scenes_of(rule, garage)

        answers = {scene.name: scene.play(rule, garage) for scene in scenes}

        assert answers == {scene.name: scene.expected for scene in scenes}


# --- What bodies may change -----------------------------------------------------------

WRITES = [rule for rule in FIRST.values() if rule.is_write]
WITH_BODY = [rule for rule in WRITES if rule.method != "DELETE"]
DELETES = [rule for rule in WRITES if rule.method == "DELETE"]


def least_privileged(rule: Rule) -> str:
    ladder = ("anonymous", "owner", "technician", "advisor", "manager")
    return next(role for role in ladder if rule.statuses[role] < 300)


def effect_of(
    garage: Garage, rule: Rule, extra: dict[str, Any]
) -> tuple[int, set[tuple[Any, ...]]]:
    """Send a request with more in its body; tell the status and what it changed."""
    body = {**extra, **rights.BODIES[rule.body]}
    with transaction.atomic():
        before = rights.state()
        answer = garage.send(least_privileged(rule), rule, garage.own, body)
        after = rights.state()
        transaction.set_rollback(True)
    return answer.status_code, rights.effect(before, after)


class TestBody:
    @pytest.mark.parametrize("rule", WITH_BODY, ids=lambda rule: rule.operation)
    def test_with_any_column_that_is_no_field_changes_nothing(
        self, rule: Rule, garage: Garage
    ) -> None:
        taken, ignored = rights.fields_of(rule.operation)
        columns = rights.other_values()
        strangers = {name: columns[name] for name in columns.keys() - taken}
        before = rights.state()

        body = {**strangers, **rights.BODIES[rule.body]}
        answer = garage.send(least_privileged(rule), rule, garage.own, body)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == strangers.keys() - ignored
        assert rights.state() == before

    @pytest.mark.parametrize(
        "rule",
        [rule for rule in WITH_BODY if rights.fields_of(rule.operation)[1]],
        ids=lambda rule: rule.operation,
    )
    def test_may_send_back_what_is_derived_to_no_effect(
        self, rule: Rule, garage: Garage
    ) -> None:
        _, ignored = rights.fields_of(rule.operation)
        columns = rights.other_values()

        plain = effect_of(garage, rule, {})
        full = effect_of(garage, rule, {name: columns.get(name, 7) for name in ignored})

        assert full == plain
        assert full[0] < 300

    @pytest.mark.parametrize("rule", DELETES, ids=lambda rule: rule.operation)
    def test_of_a_delete_has_no_effect(self, rule: Rule, garage: Garage) -> None:
        rights.prepare(rule)

        plain = effect_of(garage, rule, {})
        full = effect_of(garage, rule, rights.other_values())

        assert full == plain
        assert full[0] < 300


# --- What answers may show ------------------------------------------------------------

SALARY = 987_654_321
UNIT_COST = 912_345_678
MARKUP = "433.37"  # no time of day looks like that


@pytest.fixture
def secrets(garage: Garage) -> dict[str, str]:
    """Put things into the shop that not everybody may see; tell how they look."""
    staff = UserFactory.create(is_staff=True, last_name="Backroom")
    customer = garage.users["owner"]
    Mechanic.objects.update(salary=SALARY, phone="555-7654321")
    Mechanic.objects.filter(pk=garage.own.assigned).update(
        user=staff, email="wrench@private.example"
    )
    Vehicle.objects.filter(customer=garage.foreign.customer).update(color="Mauveine")
    fill_ticket(ServiceTicket.objects.get(pk=garage.own.ticket), by=staff)
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
        "session": session.refresh_jti,
        "password print": session.auth_hash,
        "token": garage.clients["owner"]._credentials["HTTP_AUTHORIZATION"][7:],  # type: ignore[attr-defined]
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


def walk(garage: Garage, role: str, form: str = "application/json") -> str:
    """Read everything that a role may read."""
    texts = []
    for rule in RULES:
        if rule.method == "GET" and rule.statuses[role] == 200:
            path = "/api" + rule.path.format(**vars(garage.own))
            answer = garage.clients[role].get(path, HTTP_ACCEPT=form)
            assert answer.status_code == 200
            texts.append(answer.content.decode())
    return "\n".join(texts)


def found_in(text: str, secrets: dict[str, str]) -> set[str]:
    return {name for name, look in secrets.items() if look in text}


class TestAnswers:
    @pytest.mark.parametrize("form", ["application/json", "text/html"])
    def test_keep_the_secrets_of_the_house_from_customers(
        self, garage: Garage, secrets: dict[str, str], form: str
    ) -> None:
        text = walk(garage, "owner", form)

        assert found_in(text, secrets) == set()
        assert "It is ready." in text
        assert "Camshaft" in text

    def test_have_no_such_field_for_customers(
        self, garage: Garage, secrets: dict[str, str]
    ) -> None:
        text = walk(garage, "owner")

        hidden = "salary unit_cost_cents markup_percentage password jti"
        assert not [name for name in hidden.split() if f'"{name}":' in text]
        assert '"total_cost_cents":' in text

    @pytest.mark.parametrize("form", ["application/json", "text/html"])
    def test_keep_salaries_from_technicians_who_see_the_rest(
        self, garage: Garage, secrets: dict[str, str], form: str
    ) -> None:
        text = walk(garage, "technician", form)

        assert found_in(text, secrets) == STAFF_MAY_SEE
        assert '"salary":' not in text

    def test_show_managers_salaries_but_no_keys_to_the_house(
        self, garage: Garage, secrets: dict[str, str]
    ) -> None:
        assert found_in(walk(garage, "manager"), secrets) == STAFF_MAY_SEE | {"salary"}


# --- The API and the back office ------------------------------------------------------

VERBS = ("view", "add", "change", "delete")

#: What the API calls a model's four verbs; where it has no such verb, nothing.
API_VERBS: dict[type[Model], dict[str, str]] = {
    Customer: {
        "view": "GET /customers/{customer}",
        "add": "POST /customers person",
        "change": "PATCH /customers/{customer} city",
        "delete": "DELETE /customers/{customer}",
    },
    Vehicle: {
        "view": "GET /vehicles/{vehicle}",
        "add": "POST /customers/{customer}/vehicles car",
        "change": "PATCH /vehicles/{vehicle} color",
        "delete": "DELETE /customers/{customer}/vehicles/{vehicle}",
    },
    Mechanic: {
        "view": "GET /mechanics/{mechanic}",
        "add": "POST /mechanics worker",
        "change": "PATCH /mechanics/{mechanic} phone",
        "delete": "DELETE /mechanics/{mechanic}",
    },
    Part: {
        "view": "GET /inventory/{part}",
        "add": "POST /inventory filter",
        "change": "PATCH /inventory/{part} name",
        "delete": "DELETE /inventory/{part}",
    },
    StockMovement: {"view": "GET /inventory/{part}/movements"},
    ServiceTicket: {
        "view": "GET /service-tickets/{ticket}",
        "add": "POST /service-tickets job",
        "change": "PATCH /service-tickets/{ticket} priority",
        "delete": "DELETE /service-tickets/{empty}",
    },
    TicketMechanic: {
        "view": "GET /service-tickets/{ticket}",
        "change": "PATCH /service-tickets/{ticket}/mechanics/{assigned} minutes",
    },
    TicketPart: {"view": "GET /service-tickets/{ticket}"},
    TicketEvent: {"view": "GET /service-tickets/{ticket}/events"},
    User: {},
    Session: {},
    Group: {},
}
HOUSE = ("technician", "advisor", "manager", "staff")

Cell = tuple[str, str, str]

#: Where the API lets more in than the permission does: role, model and verb.
API_IS_WIDER: dict[Cell, str] = {
    ("staff", "Mechanic", "view"): "everyone may know who works here",
}
#: Where the back office does.
ADMIN_IS_WIDER: dict[Cell, str] = {
    ("technician", "ServiceTicket", "change"): "saves the page for minutes and parts",
}
#: Models that the back office shows and services write, whoever asks.
SHOWN_ONLY: dict[type[Model], str] = {
    Session: "made by signing in, ended by signing out",
    StockMovement: "the ledger",
    TicketMechanic: "edited on the ticket's page",
    TicketPart: "edited on the ticket's page",
    TicketEvent: "the timeline",
}


def permission(model: type[Model], verb: str) -> str:
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"


def held(user: User) -> dict[tuple[type[Model], str], bool]:
    """Tell of every model and verb whether the permission is there."""
    fresh = User.objects.get(pk=user.pk)
    return {
        (model, verb): fresh.has_perm(permission(model, verb))
        for model in API_VERBS
        for verb in VERBS
    }


class TestPermission:
    @pytest.mark.parametrize("role", HOUSE)
    def test_opens_the_verb_of_the_api(self, garage: Garage, role: str) -> None:
        lines = {str(rule): rule for rule in RULES}

        opened = {
            (model, verb): lines[line].statuses[role] != 403
            for model, verbs in API_VERBS.items()
            for verb, line in verbs.items()
        }

        has = held(garage.users[role])
        differ = {cell for cell, may in opened.items() if may != has[cell]}
        assert named(role, differ) == {cell for cell in API_IS_WIDER if cell[0] == role}

    @pytest.mark.parametrize("role", HOUSE)
    def test_opens_the_verb_of_the_back_office(
        self, garage: Garage, role: str, rf: RequestFactory
    ) -> None:
        request = rf.get("/admin/")
        request.user = User.objects.get(pk=garage.users[role].pk)

        opened = {
            (model, verb): getattr(page, f"has_{verb}_permission")(request)
            for model, page in site._registry.items()
            for verb in VERBS
        }

        expected = {
            (model, verb): may and not (verb != "view" and model in SHOWN_ONLY)
            for (model, verb), may in held(garage.users[role]).items()
        }
        differ = {cell for cell, may in opened.items() if may != expected[cell]}
        assert named(role, differ) == {
            cell for cell in ADMIN_IS_WIDER if cell[0] == role
        }

    def test_is_not_what_customers_have(self, garage: Garage) -> None:
        assert not any(held(garage.users["owner"]).values())

    def test_is_asked_for_every_model_of_the_back_office(self) -> None:
        assert set(API_VERBS) == set(site._registry)


def named(role: str, cells: Iterable[tuple[type[Model], str]]) -> set[Cell]:
    return {(role, model.__name__, verb) for model, verb in cells}

"""Who may do what: every operation of the API against every role, as one table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.db.models import Model
from django.urls import URLPattern, get_resolver
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from rest_framework.response import Response
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.services import start_session
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory, user_in
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.services import assign_mechanic, install_part
from tickets.tests.factories import TicketFactory

#: What each role gets. The columns are the customer whom the row belongs to, another
#: customer, a technician, a service advisor, a manager, and staff without a group.
#: One number is everybody's, signed in or not; elsewhere nobody gets in who has no
#: valid token, or that of a deactivated login. Words in braces are ids (``Ids``),
#: words after the path a body (``BODIES``).
MATRIX = """
own other tech adv mgr staff

201                      POST   /auth/register  newcomer
200                      POST   /auth/login  credentials
200                      POST   /customers/login  credentials
200                      POST   /auth/refresh  refresh token
200                      POST   /auth/password-reset  address
204                      POST   /auth/password-reset/confirm  mailed link

200 200 200 200 200 200  GET    /auth/me
204 204 204 204 204 204  POST   /auth/logout
204 204 204 204 204 204  POST   /auth/password  new password

200 200 200 200 200 403  GET    /customers
403 403 403 201 201 403  POST   /customers  person
200 404 200 200 200 403  GET    /customers/{customer}
200 404 403 200 200 403  PUT    /customers/{customer}  city
200 404 403 200 200 403  PATCH  /customers/{customer}  city
204 404 403 403 204 403  DELETE /customers/{customer}

200 404 200 200 200 403  GET    /customers/{customer}/vehicles
201 404 403 201 201 403  POST   /customers/{customer}/vehicles  car
200 404 200 200 200 403  GET    /customers/{customer}/vehicles/{vehicle}
200 404 403 200 200 403  PUT    /customers/{customer}/vehicles/{vehicle}  color
200 404 403 200 200 403  PATCH  /customers/{customer}/vehicles/{vehicle}  color
204 404 403 403 204 403  DELETE /customers/{customer}/vehicles/{vehicle}
200 200 200 200 200 403  GET    /vehicles
200 404 200 200 200 403  GET    /vehicles/{vehicle}
200 404 403 200 200 403  PATCH  /vehicles/{vehicle}  color
400 404 403 200 200 403  PATCH  /vehicles/{vehicle}  new owner

200 200 200 200 200 200  GET    /mechanics
200 200 200 200 200 200  GET    /mechanics/by-activity
200 200 200 200 200 200  GET    /mechanics/top
200 200 200 200 200 200  GET    /mechanics/leaderboard
200 200 200 200 200 200  GET    /mechanics/{mechanic}
403 403 403 403 201 403  POST   /mechanics  worker
403 403 403 403 200 403  PUT    /mechanics/{mechanic}  phone
403 403 403 403 200 403  PATCH  /mechanics/{mechanic}  phone
403 403 403 403 200 403  PATCH  /mechanics/{mechanic}  salary
403 403 403 403 204 403  DELETE /mechanics/{mechanic}

200 200 200 200 200 200  GET    /customers/my-tickets
200 404 200 200 200 403  GET    /customers/{customer}/service-tickets
200 200 200 200 200 403  GET    /service-tickets
201 400 403 201 201 403  POST   /service-tickets  job
201 400 403 201 201 403  POST   /service-tickets  job of customer
403 400 403 201 201 403  POST   /service-tickets  started job
200 404 200 200 200 403  GET    /service-tickets/{ticket}
403 403 200 200 200 403  PUT    /service-tickets/{ticket}  same
403 403 200 200 200 403  PUT    /service-tickets/{ticket}  start
403 403 403 200 200 403  PUT    /service-tickets/{ticket}  priority
403 403 200 200 200 403  PATCH  /service-tickets/{ticket}  same
403 403 200 200 200 403  PATCH  /service-tickets/{ticket}  start
403 403 403 200 200 403  PATCH  /service-tickets/{ticket}  priority
403 403 403 200 200 403  PATCH  /service-tickets/{ticket}  other vehicle
403 403 403 200 200 403  PATCH  /service-tickets/{ticket}  cancel
403 403 403 200 200 403  PATCH  /service-tickets/{closed}  start
403 403 403 403 204 403  DELETE /service-tickets/{empty}
200 404 200 200 200 403  GET    /service-tickets/{ticket}/events
403 403 201 201 201 403  POST   /service-tickets/{ticket}/notes  note

403 403 403 200 200 403  PUT    /service-tickets/{ticket}/edit  mechanics
403 403 403 200 200 403  PUT    /service-tickets/{ticket}/assign-mechanic/{mechanic}
403 403 403 200 200 403  PUT    /service-tickets/{ticket}/remove-mechanic/{assigned}
403 403 200 200 200 403  PATCH  /service-tickets/{ticket}/mechanics/{linked}  minutes
403 403 200 200 200 403  PATCH  /service-tickets/{ticket}/mechanics/{linked}  same role
403 403 403 200 200 403  PATCH  /service-tickets/{ticket}/mechanics/{linked}  role
403 403 403 200 200 403  PATCH  /service-tickets/{ticket}/mechanics/{assigned}  minutes

403 403 201 201 201 403  POST   /service-tickets/{ticket}/parts/{part}  quantity
403 403 201 201 201 403  POST   /service-tickets/{ticket}/parts  inventory
403 403 201 201 201 403  POST   /service-tickets/{ticket}/add-part/{part}
403 403 200 200 200 403  PATCH  /service-tickets/{ticket}/parts/{installed}  quantity
403 403 204 204 204 403  DELETE /service-tickets/{ticket}/parts/{installed}

403 403 200 200 200 403  GET    /inventory
403 403 403 403 201 403  POST   /inventory  filter
403 403 200 200 200 403  GET    /inventory/{part}
403 403 403 200 200 403  PUT    /inventory/{part}  count
403 403 403 403 200 403  PUT    /inventory/{part}  name
403 403 403 200 200 403  PATCH  /inventory/{part}  count
403 403 403 403 200 403  PATCH  /inventory/{part}  name
403 403 403 403 204 403  DELETE /inventory/{part}
403 403 403 200 200 403  PATCH  /inventory/{part}/adjust-quantity  adjustment
403 403 200 200 200 403  GET    /inventory/{part}/movements
"""

BODIES: dict[str, dict[str, Any]] = {
    "": {},
    "newcomer": {
        "first_name": "Nora",
        "last_name": "New",
        "email": "nora@example.com",
        "phone": "555-0300",
        "password": PASSWORD,
    },
    "credentials": {"email": "{address}", "password": PASSWORD},
    "refresh token": {"refresh_token": "{refresh_token}"},
    "address": {"email": "{address}"},
    "mailed link": {
        "uid": "{uid}",
        "token": "{link}",
        "new_password": "a-different-staple-horse",
    },
    "new password": {
        "current_password": PASSWORD,
        "new_password": "a-different-staple-horse",
    },
    "person": {"first_name": "Ann", "last_name": "Lee", "phone": "555-0301"},
    "city": {"city": "Elko"},
    "car": {"make": "Honda", "model": "Fit", "year": 2019},
    "color": {"color": "red"},
    "new owner": {"customer_id": "{newcomer}"},
    "worker": {
        "full_name": "Bo Wrench",
        "email": "bo@shop.example",
        "phone": "555-0302",
        "salary": 50_000,
    },
    "phone": {"phone": "555-0303"},
    "salary": {"salary": 70_000},
    "job": {
        "vehicle_id": "{vehicle}",
        "problem_description": "It squeaks.",
        "odometer_miles": 10,
    },
    "job of customer": {
        "vehicle_id": "{vehicle}",
        "customer_id": "{customer}",
        "problem_description": "It squeaks.",
        "odometer_miles": 10,
        "status": "open",
    },
    "started job": {
        "vehicle_id": "{vehicle}",
        "problem_description": "It squeaks.",
        "odometer_miles": 10,
        "status": "in_progress",
    },
    "same": {"status": "open", "priority": 3},
    "start": {"status": "in_progress"},
    "priority": {"priority": 1},
    "other vehicle": {"vehicle_id": "{vehicle}"},
    "cancel": {"status": "cancelled"},
    "note": {"text": "It needs oil."},
    "mechanics": {"add_ids": ["{mechanic}"]},
    "minutes": {"minutes_worked": 30},
    "same role": {"role": "Technician", "minutes_worked": 30},
    "role": {"role": "Lead"},
    "quantity": {"quantity_used": 2},
    "inventory": {"inventory_id": "{part}"},
    "filter": {"name": "Filter", "part_number": "F-1", "price": 1},
    "count": {"quantity_in_stock": 7},
    "name": {"name": "Better part"},
    "adjustment": {"adjustment": -1},
}

_PERSON = "first_name last_name email phone address city state postal_code"
_CAR = "vin make model year color license_plate mileage"
_WORKER = "full_name email phone salary is_active"
_JOB = "vehicle_id customer_id status problem_description odometer_miles priority"
_PART = (
    "part_number name description category manufacturer current_cost_cents price"
    " quantity_in_stock reorder_level supplier is_active"
)
_LINE = "quantity_used warranty_months installed_by_mechanic_id"
_INSTALL = f"{_LINE} markup_percentage"
_WORK = "role minutes_worked"
_NESTED = "vehicle customer ticket_mechanics ticket_parts parts_total_cents"

#: The fields that each operation takes in its body; behind a bar those that may be sent
#: back and are ignored. A DELETE takes no body.
FIELDS: dict[str, str] = {
    "POST /auth/register": f"{_PERSON} password",
    "POST /auth/login": "email password",
    "POST /customers/login": "email password",
    "POST /auth/refresh": "refresh_token",
    "POST /auth/logout": "refresh_token",
    "POST /auth/password": "current_password new_password",
    "POST /auth/password-reset": "email",
    "POST /auth/password-reset/confirm": "uid token new_password",
    "POST /customers": _PERSON,
    "PUT /customers/{}": _PERSON,
    "PATCH /customers/{}": _PERSON,
    "POST /customers/{}/vehicles": f"{_CAR} | vin_check",
    "PUT /customers/{}/vehicles/{}": f"{_CAR} | vin_check",
    "PATCH /customers/{}/vehicles/{}": f"{_CAR} | vin_check",
    "PATCH /vehicles/{}": f"{_CAR} customer_id | vin_check",
    "POST /mechanics": f"{_WORKER} | ticket_count",
    "PUT /mechanics/{}": f"{_WORKER} | ticket_count",
    "PATCH /mechanics/{}": f"{_WORKER} | ticket_count",
    "POST /service-tickets": f"{_JOB} | {_NESTED}",
    "PUT /service-tickets/{}": f"{_JOB} | {_NESTED}",
    "PATCH /service-tickets/{}": f"{_JOB} | {_NESTED}",
    "POST /service-tickets/{}/notes": "text visible_to_customer",
    "PUT /service-tickets/{}/edit": f"add_ids remove_ids {_WORK}",
    "PUT /service-tickets/{}/assign-mechanic/{}": _WORK,
    "PUT /service-tickets/{}/remove-mechanic/{}": "",
    "PATCH /service-tickets/{}/mechanics/{}": _WORK,
    "POST /service-tickets/{}/parts/{}": _INSTALL,
    "POST /service-tickets/{}/parts": f"{_INSTALL} inventory_id",
    "POST /service-tickets/{}/add-part/{}": _INSTALL,
    "PATCH /service-tickets/{}/parts/{}": _LINE,
    "POST /inventory": f"{_PART} | needs_reorder",
    "PUT /inventory/{}": f"{_PART} | needs_reorder",
    "PATCH /inventory/{}": f"{_PART} | needs_reorder",
    "PATCH /inventory/{}/adjust-quantity": "adjustment reason note",
}


def fields_of(operation: str) -> tuple[set[str], set[str]]:
    """Name the fields that a write takes, and those that it ignores."""
    taken, _, ignored = FIELDS[operation].partition("|")
    return set(taken.split()), set(ignored.split())


CUSTOMERS = ("owner", "other")
ROLES = (*CUSTOMERS, "technician", "advisor", "manager", "staff")
OUTSIDERS = ("anonymous", "deactivated")
EVERYONE = (*OUTSIDERS, *ROLES)

#: No table has a row with this id.
MISSING = 2**31 - 1


class Rule(NamedTuple):
    """One line of the table."""

    method: str
    path: str
    body: str
    statuses: dict[str, int]

    @property
    def operation(self) -> str:
        return f"{self.method} {re.sub(r'{[a-z]+}', '{}', self.path)}"

    @property
    def ids(self) -> list[str]:
        """The rows that the path and the body name."""
        words = re.findall(r"{([a-z]+)}", f"{self.path} {BODIES[self.body]}")
        return [word for word in dict.fromkeys(words) if word in Ids.__annotations__]

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body}".strip()


def _read(line: str) -> Rule:
    found = re.fullmatch(r"([\d ]+?) +([A-Z]+) +(\S+) *(.*)", line)
    assert found, line
    numbers = [int(number) for number in found[1].split()]
    if len(numbers) == 1:
        statuses = dict.fromkeys(EVERYONE, numbers[0])
    else:
        statuses = dict(zip(ROLES, numbers, strict=True)) | dict.fromkeys(
            OUTSIDERS, 401
        )
    return Rule(found[2], found[3], found[4], statuses)


RULES = [_read(line) for line in MATRIX.splitlines()[2:] if line]


def may_try(role: str, operation: str) -> bool:
    """Tell whether a role may use a verb at all, whatever it wants to change."""
    return any(
        rule.statuses[role] not in {401, 403}
        for rule in RULES
        if rule.operation == operation
    )


# --- The URL map ----------------------------------------------------------------------


def operations() -> set[str]:
    """Name every operation that the URL map serves by a view set."""
    return {
        f"{method.upper()} {path}"
        for path, view in _views()
        for method in getattr(view, "actions", ())
        if method in view.cls.http_method_names and method != "head"
    }


def pages() -> set[str]:
    """Name every address under ``/api`` that is no operation on the shop's data."""
    return {path for path, view in _views() if not hasattr(view, "actions")}


def _views() -> Iterator[tuple[str, Any]]:
    for path, pattern in _walk(get_resolver()):
        if path.lstrip("^").startswith("api"):
            yield _canonical(path), pattern.callback


def _walk(resolver: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield path, pattern
        else:
            yield from _walk(pattern, path)


def _canonical(path: str) -> str:
    path = re.sub(r"\(\?P<\w+>\[0-9]\+\)", "{}", path.replace("[-_]", "-"))
    path = path.replace("^", "").removesuffix("$").removesuffix("/?").rstrip("/")
    return path.removeprefix("api") or "/"


# --- The shop -------------------------------------------------------------------------


@dataclass(frozen=True)
class Ids:
    """What the words in braces stand for, for one of two customers."""

    customer: int
    vehicle: int  # without a ticket
    ticket: int
    closed: int
    empty: int  # a ticket on which nothing happened
    assigned: int  # a mechanic on the ticket
    installed: int  # a part on the ticket
    linked: int  # the technician, on every ticket
    mechanic: int  # on no ticket
    part: int  # on no ticket
    newcomer: int  # a third customer


#: Ids that differ from one customer to the other.
OWNED = ("customer", "vehicle", "ticket", "closed", "empty", "assigned", "installed")


@dataclass(frozen=True)
class Garage:
    """A shop with two customers, and somebody of each role at the door."""

    users: dict[str, User]
    clients: dict[str, APIClient]
    own: Ids
    foreign: Ids
    words: dict[str, str]

    def send(
        self, role: str, rule: Rule, ids: Ids, body: dict[str, Any] | None = None
    ) -> Response:
        """Send a request with the ids filled in; ``body`` replaces the table's."""
        words = {**self.words, **vars(ids)}
        send = getattr(self.clients[role], rule.method.lower())
        wanted = fill(BODIES[rule.body] if body is None else body, words)
        answer: Response = send(
            "/api" + rule.path.format(**words), wanted or None, format=None
        )
        return answer

    def attempt(self, role: str, rule: Rule, ids: Ids) -> int:
        """Send a request, undo what it did, and tell its status."""
        with transaction.atomic():
            status: int = self.send(role, rule, ids).status_code
            transaction.set_rollback(True)
        return status


def fill(value: Any, words: dict[str, Any]) -> Any:
    """Replace ``"{word}"`` by what it stands for, at any depth."""
    if isinstance(value, dict):
        return {name: fill(item, words) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, words) for item in value]
    if isinstance(value, str) and value[:1] == "{":
        return words[value.strip("{}")]
    return value


def sign_in(user: User) -> APIClient:
    client = APIClient()
    token = start_session(user=user).access_token
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def open_garage() -> Garage:
    """Build the shop; a deactivated superuser still holds a token."""
    owner, other = CustomerFactory.create_batch(2)
    visitor = UserFactory.create()
    assert owner.user
    assert other.user
    users = {
        "owner": owner.user,
        "other": other.user,
        "technician": user_in(TECHNICIAN),
        "advisor": user_in(SERVICE_ADVISOR),
        "manager": user_in(MANAGER),
        "staff": UserFactory.create(is_staff=True),
        "deactivated": UserFactory.create(superuser=True),
    }
    clients = {role: sign_in(user) for role, user in users.items()}
    User.objects.filter(pk=users["deactivated"].pk).update(is_active=False)
    shared = {
        "linked": MechanicFactory.create(user=users["technician"]).pk,
        "mechanic": MechanicFactory.create().pk,
        "part": PartFactory.create().pk,
        "newcomer": CustomerFactory.create(walk_in=True).pk,
    }
    return Garage(
        users=users,
        clients={**clients, "anonymous": APIClient()},
        own=_ids_of(owner, users["manager"], shared),
        foreign=_ids_of(other, users["manager"], shared),
        words={
            "address": visitor.email,
            "refresh_token": start_session(user=visitor).refresh_token,
            "uid": urlsafe_base64_encode(force_bytes(visitor.pk)),
            "link": default_token_generator.make_token(visitor),
        },
    )


def _ids_of(customer: Customer, by: User, shared: dict[str, int]) -> Ids:
    vehicle, driven = VehicleFactory.create_batch(2, customer=customer)
    ticket, empty = TicketFactory.create_batch(2, vehicle=driven)
    assigned, installed = MechanicFactory.create(), PartFactory.create()
    linked = Mechanic.objects.get(pk=shared["linked"])
    assign_mechanic(ticket=ticket, mechanic=assigned, by=by)
    assign_mechanic(ticket=ticket, mechanic=linked, by=by)
    install_part(ticket=ticket, part=installed, quantity_used=1, by=by)
    return Ids(
        customer=customer.pk,
        vehicle=vehicle.pk,
        ticket=ticket.pk,
        closed=TicketFactory.create(vehicle=driven, closed=True).pk,
        empty=empty.pk,
        assigned=assigned.pk,
        installed=installed.pk,
        **shared,
    )


def prepare(rule: Rule) -> None:
    """Put the shop into a state in which the operation can succeed."""
    if rule.operation == "DELETE /customers/{}":
        _close_all_tickets()


def _close_all_tickets() -> None:
    closed = ServiceTicket.Status.COMPLETED
    ServiceTicket.objects.update(status=closed, closed_at=timezone.now())


# --- What the tables hold -------------------------------------------------------------

State = dict[tuple[str, Any], dict[str, Any]]

#: Every table of the shop, memberships in groups included.
MODELS = [
    model
    for model in apps.get_models(include_auto_created=True)
    if model._meta.app_label
    in {"accounts", "customers", "mechanics", "inventory", "tickets"}
]


def state() -> State:
    """Read every row of every table."""
    return {
        (model._meta.label, row[model._meta.pk.attname]): row
        for model in MODELS
        for row in model._default_manager.values()
    }


def effect(before: State, after: State) -> set[tuple[Any, ...]]:
    """Tell which cells changed, which rows went, and what is in the new ones."""
    changed = {
        (*key, column)
        for key in before.keys() & after.keys()
        for column, value in after[key].items()
        if before[key][column] != value
    }
    gone = {(*key, "gone") for key in before.keys() - after.keys()}
    new = {
        (key[0], "new", column, str(value))
        for key in after.keys() - before.keys()
        for column, value in after[key].items()
        if column not in {"id", "ticket_id", "history_id"}
        and not isinstance(value, datetime)
    }
    return changed | gone | new


def other_values() -> dict[str, Any]:
    """Give every column of every table a value that a client might wish it had."""
    fields: list[Any] = [field for model in MODELS for field in _fields(model)]
    return {
        name: _other_value(field)
        for field in fields
        for name in {field.name, field.attname, *_names_in_the_api(field)}
    }


def _fields(model: type[Model]) -> list[Any]:
    return [*model._meta.concrete_fields, *model._meta.many_to_many]


def _names_in_the_api(field: Any) -> set[str]:
    return {f"{field.model._meta.model_name}_id"} if field.primary_key else set()


def _other_value(field: Any) -> Any:
    if field.is_relation:
        newest = field.related_model._default_manager.order_by("-pk").first()
        return [newest.pk] if field.many_to_many else newest.pk
    match field.get_internal_type():
        case "BooleanField":
            return not field.default
        case "DateTimeField":
            return "2001-02-03T04:05:06Z"
        case "CharField" | "TextField" | "GeneratedField":
            return "other@example.com"
        case "JSONField":
            return {"other": True}
    return 7

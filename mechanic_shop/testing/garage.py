"""A shop with two customers, and somebody of each role at the door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.test import override_settings
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.services import start_session
from mechanic_shop.accounts.tests.factories import UserFactory, user_in

from .access import OPEN, Rule

OPEN_ACCESS_BACKEND = "mechanic_shop.accounts.backends.OpenAccessBackend"

#: What the words in braces stand for: the id of a row, or a text.
Words = Mapping[str, Any]


@dataclass
class Garage:
    """The callers, and the rows of the customer ``own`` and of the ``other`` one."""

    users: dict[str, User]
    own_customer: Customer
    other_customer: Customer
    own: dict[str, Any] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clients = {caller: sign_in(user) for caller, user in self.users.items()}
        self.clients["anonymous"] = APIClient()
        self.users["deactivated"].is_active = False
        self.users["deactivated"].save()

    def path(self, rule: Rule, **replaced: Any) -> str:
        return "/api" + rule.path.format(**{**self.own, **replaced})

    def body(self, rule: Rule, **replaced: Any) -> dict[str, Any]:
        filled: dict[str, Any] = fill(rule.body, {**self.own, **replaced})
        return filled

    def send(
        self,
        caller: str,
        rule: Rule,
        body: Any = None,
        replaced: Words | None = None,
        path: str | None = None,
        **extra: Any,
    ) -> Any:
        """Send a request as a caller; ``body`` and ``path`` replace the table's."""
        replaced = replaced or {}
        if body is None:
            body = self.body(rule, **replaced) or None
        method = getattr(self.clients[caller], rule.method.lower())
        with open_access() if caller == OPEN else nullcontext():
            return method(path or self.path(rule, **replaced), body, **extra)

    def attempt(self, caller: str, rule: Rule, **how: Any) -> int:
        """Send a request, undo what it did, and return its status."""
        with undone():
            status: int = self.send(caller, rule, **how).status_code
        return status


def open_garage() -> Garage:
    """Create the callers; a deactivated superuser still holds a token."""
    own, other = CustomerFactory.create_batch(2)
    users: dict[str, Any] = {
        "own": own.user,
        "other": other.user,
        "tech": user_in(TECHNICIAN),
        "adv": user_in(SERVICE_ADVISOR),
        "mgr": user_in(MANAGER),
        "staff": UserFactory.create(is_staff=True),
        "visitor": UserFactory.create(),
        "superuser": UserFactory.create(superuser=True),
        OPEN: CustomerFactory.create().user,
        "deactivated": UserFactory.create(superuser=True),
    }
    return Garage(users, own, other)


def sign_in(user: User) -> APIClient:
    client = APIClient()
    token = start_session(user=user).access_token
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def open_access() -> Any:
    backends = [*settings.AUTHENTICATION_BACKENDS, OPEN_ACCESS_BACKEND]
    return override_settings(AUTHENTICATION_BACKENDS=backends)


@contextmanager
def undone() -> Iterator[None]:
    """Undo in the end what was written inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def fill(value: Any, words: Words) -> Any:
    """Replace ``"{word}"`` by what it stands for, at any depth."""
    if isinstance(value, Mapping):
        return {name: fill(item, words) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, words) for item in value]
    if isinstance(value, str) and value[:1] == "{":
        return words[value.strip("{}")]
    return value

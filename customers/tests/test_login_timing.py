"""A refused login costs the same work, whatever was wrong about it.

One hash with the production's hasher takes nearly all of a login's time, so hashes are
counted here and no time is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client

from customers.tests.factories import CustomerFactory
from mechanic_shop.accounts.hashers import ShopArgon2PasswordHasher
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory
from mechanic_shop.settings import base

pytestmark = pytest.mark.django_db

OPEN_ACCESS = "mechanic_shop.accounts.backends.OpenAccessBackend"
ADDRESS = "jordan@example.com"
WRONG = "wrong-horse-battery"
API_DOORS = ("/api/auth/login", "/api/customers/login")
#: The four doors, and with what each of them refuses.
DOORS = [(API_DOORS[0], 401), (API_DOORS[1], 401), ("/api/login/", 200)]
DOORS += [("/admin/login/", 200)]


def customer() -> None:
    CustomerFactory.create(email=ADDRESS)


def nobody() -> None:
    pass


def inactive() -> None:
    UserFactory.create(email=ADDRESS, is_active=False)


def invited() -> None:
    User.objects.create_user(ADDRESS)


#: Whose login is tried, and with which password.
REFUSED = [
    pytest.param(customer, WRONG, id="wrong password"),
    pytest.param(nobody, WRONG, id="unknown address"),
    pytest.param(inactive, WRONG, id="inactive login, wrong password"),
    pytest.param(inactive, PASSWORD, id="inactive login, right password"),
    pytest.param(invited, WRONG, id="no usable password"),
]


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> list[str]:
    """Hash like production; collect every use of its preferred hasher."""
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS
    used: list[str] = []

    def counted(name: str) -> Callable[..., Any]:
        original = getattr(ShopArgon2PasswordHasher, name)

        def count(*args: Any) -> Any:
            used.append(name)
            return original(*args)

        return count

    for name in ("encode", "verify", "harden_runtime"):
        monkeypatch.setattr(ShopArgon2PasswordHasher, name, counted(name))
    return used


def log_in(door: str, password: str = WRONG) -> Any:
    """Post a login in the way that the door wants it."""
    if door in API_DOORS:
        body = {"email": ADDRESS, "password": password}
        return Client().post(door, body, content_type="application/json")
    return Client().post(door, {"username": ADDRESS, "password": password})


class TestRefusedLogin:
    @pytest.mark.parametrize(("door", "status"), DOORS)
    @pytest.mark.parametrize(("account", "password"), REFUSED)
    def test_hashes_exactly_once(
        self,
        account: Callable[[], None],
        password: str,
        door: str,
        status: int,
        hashes: list[str],
    ) -> None:
        account()
        hashes.clear()

        answer = log_in(door, password)

        assert answer.status_code == status
        assert hashes in (["encode"], ["verify"])

    @pytest.mark.parametrize(("account", "password"), REFUSED)
    def test_hashes_exactly_once_with_open_access_too(
        self,
        account: Callable[[], None],
        password: str,
        hashes: list[str],
        settings: LazySettings,
    ) -> None:
        backends = [*settings.AUTHENTICATION_BACKENDS, OPEN_ACCESS]
        settings.AUTHENTICATION_BACKENDS = backends
        account()
        hashes.clear()

        answer = log_in(API_DOORS[0], password)

        assert answer.status_code == 401
        assert hashes in (["encode"], ["verify"])

    @pytest.mark.parametrize(("door", "status"), DOORS)
    def test_hashes_nothing_over_the_limit(
        self, door: str, status: int, hashes: list[str], settings: LazySettings
    ) -> None:
        settings.THROTTLES = {**settings.THROTTLES, "LOGIN": (1, 60)}
        customer()

        with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC), tick=False):
            first = log_in(door)
            hashes.clear()
            second = log_in(door)

        assert (first.status_code, second.status_code) == (status, 429)
        assert hashes == []


class TestAcceptedLogin:
    def test_hashes_exactly_once(self, hashes: list[str]) -> None:
        customer()
        hashes.clear()

        answer = log_in(API_DOORS[0], PASSWORD)

        assert answer.status_code == 200
        assert hashes == ["verify"]

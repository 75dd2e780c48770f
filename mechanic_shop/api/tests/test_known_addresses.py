"""Guessing from elsewhere locks nobody out of where they have signed in before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.utils import timezone

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory
from mechanic_shop.api.models import KnownAddress, RateCounter

NOON = datetime(2030, 1, 1, 12, 0, 20, tzinfo=UTC)
FORMS = ["/api/login/", "/admin/login/", "/my/sign-in/"]
LOGINS = ["/api/auth/login", "/api/customers/login", *FORMS]
HOME, OFFICE = "203.0.113.7", "203.0.113.8"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(settings: LazySettings) -> Iterator[time_machine.Traveller]:
    """Stop the clock; switch on the rule for logins, with plenty for each address."""
    settings.THROTTLES = {**dict.fromkeys(settings.THROTTLES), "LOGIN": (1_000, 60)}
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def user() -> User:
    return UserFactory.create(superuser=True)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the passwords that somebody took the trouble to hash."""
    passwords: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
        passwords.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    return passwords


def log_in(
    email: str, address: str, password: str = PASSWORD, path: str = LOGINS[0]
) -> Any:
    client = Client(REMOTE_ADDR=address)
    if path in FORMS:
        return client.post(path, {"username": email, "password": password})
    body = {"email": email, "password": password}
    return client.post(path, body, content_type="application/json")


def is_in(answer: Any, path: str) -> bool:
    return bool(answer.status_code == (302 if path in FORMS else 200))


def fail(email: str, address: str, times: int, path: str = LOGINS[0]) -> list[int]:
    return [log_in(email, address, "wrong", path).status_code for _ in range(times)]


def attack(email: str, addresses: int) -> list[int]:
    """Guess once from each of so many addresses."""
    return [
        log_in(email, f"198.51.100.{number}", "wrong").status_code
        for number in range(addresses)
    ]


class TestKnownAddress:
    @pytest.mark.parametrize("door", LOGINS)
    def test_gets_in_while_fifty_others_guess(self, user: User, door: str) -> None:
        log_in(user.email, HOME)

        guesses = attack(user.email, 50)

        assert guesses == [401] * 10 + [429] * 40
        assert is_in(log_in(user.email, HOME, path=door), door)
        assert log_in(user.email, OFFICE, path=door).status_code == 429

    @pytest.mark.parametrize("door", LOGINS)
    def test_is_known_from_any_door(self, user: User, door: str) -> None:
        assert is_in(log_in(user.email, HOME, path=door), door)

        attack(user.email, 11)

        assert log_in(user.email, HOME).status_code == 200

    def test_is_known_from_signing_up(self) -> None:
        email = "ada@example.com"
        body = {
            "first_name": "Ada",
            "last_name": "King",
            "phone": "1",
            "email": " ADA@Example.com",
            "password": PASSWORD,
        }
        Client(REMOTE_ADDR=HOME).post(
            "/api/auth/register", body, content_type="application/json"
        )

        attack(email, 11)

        assert log_in(email, HOME).status_code == 200
        assert log_in(email, OFFICE).status_code == 429

    def test_saves_the_hashing_of_what_is_refused(
        self, user: User, hashed: list[str]
    ) -> None:
        attack(user.email, 10)
        tried = len(hashed)

        attack(user.email, 50)
        log_in(user.email, OFFICE)

        assert tried == 10
        assert len(hashed) == tried

    @pytest.mark.parametrize("door", LOGINS)
    def test_has_ten_wrong_tries_of_its_own(self, user: User, door: str) -> None:
        log_in(user.email, HOME)
        attack(user.email, 11)
        wrong = 200 if door in FORMS else 401

        assert fail(user.email, HOME, 11, door) == [wrong] * 10 + [429]
        assert log_in(user.email, HOME).status_code == 429

    def test_spends_nothing_of_the_strangers(self, user: User) -> None:
        log_in(user.email, HOME)
        fail(user.email, HOME, 11)

        assert attack(user.email, 11) == [401] * 10 + [429]

    def test_counts_apart_from_another_known_one(self, user: User) -> None:
        log_in(user.email, HOME)
        log_in(user.email, OFFICE)
        fail(user.email, HOME, 11)

        assert log_in(user.email, HOME).status_code == 429
        assert log_in(user.email, OFFICE).status_code == 200

    def test_spends_nothing_when_the_password_is_right(self, user: User) -> None:
        log_in(user.email, HOME)
        fail(user.email, HOME, 9)

        good = [log_in(user.email, HOME).status_code for _ in range(12)]

        assert good == [200] * 12
        assert fail(user.email, HOME, 2) == [401, 429]

    def test_tells_how_long_to_wait(self, user: User) -> None:
        log_in(user.email, HOME)
        fail(user.email, HOME, 10)

        assert log_in(user.email, HOME)["Retry-After"] == "880"

    def test_opens_again_in_the_next_window(
        self, user: User, clock: time_machine.Traveller
    ) -> None:
        log_in(user.email, HOME)
        fail(user.email, HOME, 11)

        clock.shift(880)

        assert log_in(user.email, HOME).status_code == 200

    def test_is_known_to_one_account_only(self, user: User) -> None:
        other = UserFactory.create()
        log_in(other.email, HOME)

        attack(user.email, 10)

        assert log_in(user.email, HOME).status_code == 429

    def test_is_not_known_from_a_wrong_password(self, user: User) -> None:
        fail(user.email, HOME, 1)
        fail(user.email, HOME, 1, "/admin/login/")

        assert not KnownAddress.objects.exists()

    @pytest.mark.parametrize("path", FORMS)
    @pytest.mark.parametrize("query", ["", "?next=/my/"])
    def test_is_not_known_from_an_earlier_sign_in(
        self, user: User, path: str, query: str
    ) -> None:
        client = Client(REMOTE_ADDR=HOME)
        client.force_login(UserFactory.create(superuser=True))

        for _ in range(10):
            client.post(path + query, {"username": user.email, "password": "wrong"})

        assert not KnownAddress.objects.exists()
        assert log_in(user.email, OFFICE).status_code == 429

    def test_is_not_known_from_a_login_without_rights(self) -> None:
        customer = UserFactory.create()

        answer = log_in(customer.email, HOME, path="/admin/login/")

        assert answer.status_code == 200
        assert not KnownAddress.objects.exists()

    def test_knows_an_account_in_any_spelling(self) -> None:
        user = UserFactory.create(email="pat@example.com")
        log_in("PAT@example.com ", HOME)

        attack(user.email, 11)

        assert log_in("pat@EXAMPLE.com", HOME).status_code == 200

    def test_is_one_for_a_whole_ipv6_household(self, user: User) -> None:
        log_in(user.email, "2001:db8:1:2::1")

        attack(user.email, 11)

        assert log_in(user.email, "2001:db8:1:2:ffff::9").status_code == 200
        assert log_in(user.email, "2001:db8:1:3::1").status_code == 429

    @pytest.mark.parametrize("path", FORMS)
    def test_saves_the_hashing_of_what_is_too_long(
        self, user: User, hashed: list[str], path: str
    ) -> None:
        answer = log_in(user.email, HOME, "x" * 129, path)

        assert answer.status_code == 200
        assert "128 characters" in answer.content.decode()
        assert hashed == []

    def test_cannot_be_forged(self, user: User) -> None:
        log_in(user.email, HOME)
        attack(user.email, 10)
        body = {"email": user.email, "password": "wrong"}

        answer = Client(REMOTE_ADDR=OFFICE).post(
            LOGINS[0],
            body,
            content_type="application/json",
            headers={"X-Forwarded-For": HOME},
        )

        assert answer.status_code == 429

    def test_does_not_tell_whether_an_account_exists(self) -> None:
        assert attack("nobody@example.com", 11) == [401] * 10 + [429]


class TestMemory:
    def test_lasts_ninety_days(self, user: User, clock: time_machine.Traveller) -> None:
        log_in(user.email, HOME)
        clock.shift(90 * 86_400 - 1)
        attack(user.email, 10)
        assert fail(user.email, HOME, 1) == [401]

        clock.shift(1)

        assert not KnownAddress.objects.knows(user.email, HOME)
        attack(user.email, 10)
        assert log_in(user.email, HOME).status_code == 429

    def test_begins_anew_with_each_login(
        self, user: User, clock: time_machine.Traveller
    ) -> None:
        for _ in range(3):
            log_in(user.email, HOME)
            clock.shift(60 * 86_400)

        attack(user.email, 11)

        assert log_in(user.email, HOME).status_code == 200
        assert KnownAddress.objects.count() == 1

    def test_holds_nothing_that_can_be_read(self, user: User) -> None:
        log_in(user.email, HOME)

        row = KnownAddress.objects.get()

        stored = f"{row.digest} {row}"
        assert len(row.digest) == 64
        assert HOME not in stored
        assert user.email not in stored
        assert row.seen_at == timezone.now()

    def test_cannot_be_searched_without_the_key(
        self, user: User, settings: LazySettings
    ) -> None:
        log_in(user.email, HOME)

        settings.SECRET_KEY = "another-key-that-is-longer-than-thirty-two-bytes"

        assert not KnownAddress.objects.knows(user.email, HOME)

    def test_keeps_addresses_out_of_the_counters(self, user: User) -> None:
        log_in(user.email, HOME)
        fail(user.email, HOME, 1)

        keys = RateCounter.objects.filter(key__startswith="ACCOUNT:")

        assert keys.count() == 2
        assert not any(HOME in row.key or user.email in row.key for row in keys)

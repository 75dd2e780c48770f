"""The rate limits are exact, shared where they should be, and cannot be escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connections
from django.test import Client
from rest_framework.test import APIClient

from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory
from mechanic_shop.api.models import RateCounter

#: Twenty seconds into a minute, so that a window of a minute has forty left.
NOON = datetime(2030, 1, 1, 12, 0, 20, tzinfo=UTC)

Limit = Callable[..., None]
LOGINS = ["/api/auth/login", "/api/customers/login", "/api/login/", "/admin/login/"]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def limit(settings: LazySettings) -> Limit:
    """Switch on the named rules and no other, e.g. ``limit(LOGIN=(5, 60))``."""

    def switch_on(**rates: tuple[int, int] | None) -> None:
        settings.THROTTLES = {**dict.fromkeys(settings.THROTTLES), **rates}

    return switch_on


def log_in(path: str, email: str, password: str, address: str = "192.0.2.1") -> Any:
    """Post a login to whichever of the four doors; each has its own way to fail."""
    client = Client(REMOTE_ADDR=address)
    if path.startswith(("/api/auth", "/api/customers")):
        body = {"email": email, "password": password}
        return client.post(path, body, content_type="application/json")
    return client.post(path, {"username": email, "password": password})


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
class TestRateLimit:
    def test_headers_tell_what_is_left(self, shop: APIClient, limit: Limit) -> None:
        limit(CREATE_PART=(2, 60))
        body = {"name": "Filter", "price": 1}

        first, last, refused = (shop.post("/api/inventory", body) for _ in range(3))

        assert [r.status_code for r in (first, last, refused)] == [201, 201, 429]
        for response, remaining in ((first, "1"), (last, "0"), (refused, "0")):
            assert response["RateLimit-Limit"] == "2"
            assert response["RateLimit-Remaining"] == remaining
            assert response["RateLimit-Reset"] == "40"
        assert refused["Retry-After"] == "40"
        assert "Retry-After" not in last
        assert Part.objects.count() == 2

    def test_count_restarts_in_the_next_window(
        self, shop: APIClient, limit: Limit, clock: time_machine.Traveller
    ) -> None:
        limit(CREATE_PART=(1, 60))
        shop.post("/api/inventory", {})

        clock.shift(39)
        still = shop.post("/api/inventory", {})
        clock.shift(1)
        again = shop.post("/api/inventory", {})

        assert (still.status_code, still["Retry-After"]) == (429, "1")
        assert (again.status_code, again["RateLimit-Remaining"]) == (400, "0")

    def test_rejected_requests_are_not_counted(
        self, shop: APIClient, limit: Limit
    ) -> None:
        limit(CREATE_PART=(2, 60))

        for _ in range(10):
            shop.post("/api/inventory", {})

        assert RateCounter.objects.get().count == 2

    def test_each_user_has_a_count(
        self, limit: Limit, client_of: Callable[[User], APIClient]
    ) -> None:
        limit(CREATE_PART=(1, 60))
        users = UserFactory.create_batch(2, superuser=True)

        statuses = [
            client_of(user).post("/api/inventory", {}).status_code
            for user in [*users, *users]
        ]

        assert statuses == [400, 400, 429, 429]

    def test_each_rule_has_a_count(self, shop: APIClient, limit: Limit) -> None:
        limit(CREATE_PART=(1, 60), CREATE_MECHANIC=(1, 60))
        shop.post("/api/inventory", {})

        assert shop.post("/api/inventory", {}).status_code == 429
        assert shop.post("/api/mechanics", {}).status_code == 400

    def test_reads_are_not_limited(self, shop: APIClient, limit: Limit) -> None:
        limit(CREATE_PART=(1, 60))

        answers = [shop.get("/api/inventory") for _ in range(3)]

        assert {answer.status_code for answer in answers} == {200}
        assert not any(answer.has_header("RateLimit-Limit") for answer in answers)

    def test_forbidden_requests_are_not_counted(
        self, limit: Limit, client_of: Callable[[User], APIClient]
    ) -> None:
        limit(CREATE_PART=(1, 60))
        client = client_of(UserFactory.create())

        statuses = {client.post("/api/inventory", {}).status_code for _ in range(3)}

        assert statuses == {403}

    def test_rule_of_none_is_switched_off(self, shop: APIClient, limit: Limit) -> None:
        limit(CREATE_PART=None)

        answers = [shop.post("/api/inventory", {}) for _ in range(25)]

        assert {answer.status_code for answer in answers} == {400}
        assert not any(answer.has_header("RateLimit-Limit") for answer in answers)
        assert not RateCounter.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
class TestClientAddress:
    def statuses(self, *requests: tuple[str, str | None]) -> list[int]:
        """Post one login for each (address, X-Forwarded-For)."""
        return [
            Client(REMOTE_ADDR=address)
            .post(
                "/api/auth/login",
                {},
                content_type="application/json",
                headers={"X-Forwarded-For": forwarded} if forwarded else None,
            )
            .status_code
            for address, forwarded in requests
        ]

    @pytest.fixture(autouse=True)
    def _one_login_a_minute(self, limit: Limit) -> None:
        limit(LOGIN=(1, 60))

    def trust(self, settings: LazySettings, proxies: int) -> None:
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}

    def test_each_address_has_a_count(self) -> None:
        assert self.statuses(
            ("192.0.2.1", None), ("192.0.2.2", None), ("192.0.2.1", None)
        ) == [400, 400, 429]

    def test_forwarded_for_is_ignored_without_a_proxy(
        self, settings: LazySettings
    ) -> None:
        self.trust(settings, 0)

        assert self.statuses(
            ("192.0.2.1", "10.0.0.1"),
            ("192.0.2.1", "10.0.0.2"),
            ("192.0.2.1", None),
            ("192.0.2.2", "10.0.0.1"),
        ) == [400, 429, 429, 400]

    def test_last_forwarded_for_counts_behind_a_proxy(
        self, settings: LazySettings
    ) -> None:
        self.trust(settings, 1)

        assert self.statuses(
            ("192.0.2.1", "10.0.0.1, 203.0.113.5"),
            ("192.0.2.1", "10.0.0.2, 203.0.113.5"),
            ("192.0.2.1", "203.0.113.5"),
            ("192.0.2.1", "203.0.113.5, 203.0.113.6"),
        ) == [400, 429, 429, 400]

    @pytest.mark.parametrize("path", ["/admin/login/", "/api/login/"])
    def test_forms_ignore_a_forged_forwarded_for(self, path: str) -> None:
        client = Client(REMOTE_ADDR="192.0.2.1")

        statuses = [
            client.post(path, headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code
            for n in range(3)
        ]

        assert statuses == [200, 429, 429]

    def test_ipv6_addresses_count_by_their_64_prefix(self) -> None:
        assert self.statuses(
            ("2001:db8:1:2::1", None),
            ("2001:db8:1:2:ffff::9", None),
            ("2001:db8:1:3::1", None),
        ) == [400, 429, 400]

    def test_mapped_ipv6_counts_as_its_ipv4_address(self) -> None:
        assert self.statuses(("192.0.2.1", None), ("::ffff:192.0.2.1", None)) == [
            400,
            429,
        ]

    def test_invalid_address_from_a_proxy_is_harmless(
        self, settings: LazySettings
    ) -> None:
        self.trust(settings, 1)

        assert self.statuses(("192.0.2.1", "x" * 500), ("192.0.2.1", "x" * 500)) == [
            400,
            429,
        ]


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
class TestLoginLimit:
    @pytest.mark.parametrize("last", LOGINS)
    def test_four_login_paths_share_one_limit(self, limit: Limit, last: str) -> None:
        limit(LOGIN=(4, 60))

        statuses = [log_in(path, "x@y.example", "no").status_code for path in LOGINS]
        refused = log_in(last, "x@y.example", "no")

        assert statuses == [401, 401, 200, 200]
        assert refused.status_code == 429
        assert refused["Retry-After"] == "40"

    @pytest.mark.parametrize("path", LOGINS)
    def test_right_password_over_the_limit_is_a_429(
        self, limit: Limit, path: str
    ) -> None:
        limit(LOGIN=(1, 60))
        user = UserFactory.create(superuser=True)
        log_in("/api/auth/login", user.email, "wrong")

        response = log_in(path, user.email, PASSWORD)

        assert response.status_code == 429
        assert "sessionid" not in response.cookies
        assert not user.sessions.exists()

    @pytest.mark.parametrize("path", LOGINS)
    def test_login_over_the_limit_hashes_nothing(
        self, limit: Limit, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limit(LOGIN=(1, 60))
        user = UserFactory.create(superuser=True)
        hashed: list[str] = []
        encode = MD5PasswordHasher.encode

        def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
            hashed.append(password)
            return encode(self, password, salt)

        monkeypatch.setattr(MD5PasswordHasher, "encode", counting)

        log_in(path, user.email, "first")
        log_in(path, user.email, "second")

        assert "first" in hashed
        assert "second" not in hashed

    def test_opening_a_login_form_is_not_counted(self, limit: Limit) -> None:
        limit(LOGIN=(1, 60))

        for path in ("/api/login/", "/admin/login/") * 3:
            assert Client(REMOTE_ADDR="192.0.2.1").get(path).status_code == 200

        assert log_in("/api/auth/login", "x@y.example", "no").status_code == 401


LOGIN_PATHS = ["/api/auth/login", "/api/login/", "/admin/login/"]
#: What MySQL's collations or Django's login form may take for pat@example.com.
SPELLINGS = [
    "pat@example.com",
    " PAT@Example.com ",
    "pát@example.com",
    "pàt@example.com",
    "PÄT@EXAMPLE.COM",
    "pat@exámple.com",
    "ｐａｔ@example.com",
    "pat＠example.com",
    "pat\u200b@example.com",
    "𝐩𝐚𝐭@example.com",
]


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
class TestAccountLimit:
    """Ten failures in a quarter of an hour, whatever addresses they come from."""

    @pytest.fixture(autouse=True)
    def _plenty_for_every_address(self, limit: Limit) -> None:
        limit(LOGIN=(1_000, 60))

    def fail(self, email: str, times: int, path: str = "/api/auth/login") -> list[int]:
        return [
            log_in(path, email, "wrong", f"198.51.100.{n}").status_code
            for n in range(times)
        ]

    @pytest.mark.parametrize("path", ["/api/auth/login", "/api/customers/login"])
    def test_account_is_locked_after_ten_failures(self, path: str) -> None:
        user = UserFactory.create()

        failures = self.fail(user.email, 11, path)
        right = log_in(path, user.email, PASSWORD, "203.0.113.7")

        assert failures == [401] * 10 + [429]
        assert right.status_code == 429
        assert right["Retry-After"] == "880"

    @pytest.mark.parametrize("path", ["/api/login/", "/admin/login/"])
    def test_failures_at_the_forms_are_counted(self, path: str) -> None:
        user = UserFactory.create(superuser=True)
        self.fail(user.email, 10, path)

        api = log_in("/api/auth/login", user.email, PASSWORD)
        form = log_in(path, user.email, PASSWORD)

        assert (api.status_code, form.status_code) == (429, 429)

    def test_account_is_unlocked_in_the_next_window(
        self, clock: time_machine.Traveller
    ) -> None:
        user = UserFactory.create()
        self.fail(user.email, 10)

        clock.shift(880)

        assert log_in("/api/auth/login", user.email, PASSWORD).status_code == 200

    def test_successful_logins_are_not_counted(self) -> None:
        user = UserFactory.create()
        self.fail(user.email, 9)

        good = [log_in("/api/auth/login", user.email, PASSWORD) for _ in range(12)]

        assert {answer.status_code for answer in good} == {200}
        assert self.fail(user.email, 2) == [401, 429]

    def test_spellings_of_an_account_share_a_count(self) -> None:
        user = UserFactory.create(email="pat@example.com")
        self.fail("PAT@example.com ", 5)
        self.fail("pat@EXAMPLE.com", 5)

        assert log_in("/api/auth/login", user.email, PASSWORD).status_code == 429

    @pytest.mark.parametrize("path", LOGIN_PATHS)
    def test_spellings_of_an_account_share_its_budget(self, path: str) -> None:
        user = UserFactory.create(email="pat@example.com", superuser=True)
        statuses = [self.fail(spelling, 1, path)[0] for spelling in SPELLINGS]

        right = log_in(path, user.email, PASSWORD)

        assert statuses == [401 if "api/auth" in path else 200] * 10
        assert right.status_code == 429

    @pytest.mark.parametrize("spelling", ["pát@example.com", "pat@exämple.com"])
    @pytest.mark.parametrize("path", LOGIN_PATHS)
    def test_another_spelling_opens_no_account(self, path: str, spelling: str) -> None:
        UserFactory.create(email="pat@example.com", superuser=True)

        response = log_in(path, spelling, PASSWORD)

        assert response.status_code == (401 if "api/auth" in path else 200)
        assert "sessionid" not in response.cookies

    def test_other_accounts_are_not_locked(self) -> None:
        victim, other = UserFactory.create_batch(2)
        self.fail(victim.email, 10)

        assert log_in("/api/auth/login", other.email, PASSWORD).status_code == 200

    def test_unknown_accounts_are_locked_too(self) -> None:
        assert self.fail("nobody@example.com", 11) == [401] * 10 + [429]

    def test_locked_account_hashes_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = UserFactory.create()
        self.fail(user.email, 10)

        def never(*args: Any) -> None:
            raise AssertionError("hashed")

        monkeypatch.setattr(MD5PasswordHasher, "encode", never)

        assert log_in("/api/auth/login", user.email, PASSWORD).status_code == 429

    def test_account_limit_is_off_with_the_login_rule(self, limit: Limit) -> None:
        limit(LOGIN=None)
        user = UserFactory.create()

        assert self.fail(user.email, 12) == [401] * 12
        assert log_in("/api/auth/login", user.email, PASSWORD).status_code == 200
        assert not RateCounter.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestRateCounterInARace:
    THREADS, LIMIT, KEY = 32, 5, "RACE:1"
    #: A window of thirty years, so that none ends during the test.
    RATE = (LIMIT, 10**9)

    def passed(self, ask: Callable[[], bool]) -> int:
        """Let all threads ask at the same moment; return how many may pass."""
        start = Barrier(self.THREADS, timeout=60)

        def one(_: int) -> bool:
            try:
                start.wait()
                return ask()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(self.THREADS) as pool:
            return sum(pool.map(one, range(self.THREADS)))

    def test_racing_requests_pass_up_to_the_limit(self) -> None:
        def ask() -> bool:
            return RateCounter.objects.hit(self.KEY, self.RATE).allowed

        assert self.passed(ask) == self.LIMIT
        assert not RateCounter.objects.hit(self.KEY, self.RATE).allowed

    def test_naive_counter_lets_more_requests_pass(self) -> None:
        RateCounter.objects.create(key=self.KEY, window=0, count=0)
        all_have_read = Barrier(self.THREADS, timeout=60)

        def ask_naively() -> bool:
            counter = RateCounter.objects.get(pk=self.KEY)
            all_have_read.wait()
            counter.count += 1
            counter.save(update_fields=["count"])
            return counter.count <= self.LIMIT

        assert self.passed(ask_naively) > self.LIMIT

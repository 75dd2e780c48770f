"""The limits are exact in every process, and no header gets around them.

The shops stand behind one proxy, so that ``X-Forwarded-For`` gives each test addresses
of its own; nobody has to wait until a budget is full again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from ipaddress import ip_address
from itertools import count
from typing import TypeVar
from urllib.parse import urlencode

import pytest

from .conftest import KINDS, GetShop, Services, urls_of
from .hash_counter import HASHED
from .load import Answer, UnexpectedAnswer, at_once, counted
from .server_log import records_of
from .shop import Shop, running_shop

T = TypeVar("T")

LOGINS, REGISTRATIONS, FAILURES = 5, 3, 10
#: The windows of all limits begin with a minute; the server's clock is real.
MINUTE = 60
FAILURE_SECONDS = 900
PASSWORD, WRONG = "correct horse battery", "wrong-horse-battery"
#: Any value does, as long as cookie and field agree.
CSRF = "x" * 32
API_DOORS = ("//api/auth/login", "//api/customers/login")
FORM_DOORS = ("//api/login/", "//admin/login/")
FORGEABLE = ("X-Forwarded-For", "Forwarded", "X-Real-IP")

numbers = count(1)


@pytest.fixture(scope="module")
def get_limited_shop(
    services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GetShop]:
    """Start shops with the limits of production, which the shared ones do not have."""
    with ExitStack() as running:

        @cache
        def get(on: str, kind: str) -> Shop:
            database_url, _ = urls_of(services, on, kind)
            number = len(KINDS) + KINDS.index(kind)
            shop = running_shop(
                tmp_path_factory.mktemp(f"limits-{on}-{kind}"),
                on=on,
                kind=kind,
                database_url=database_url,
                redis_url=f"{services.redis.url}/{number}" if database_url else "",
                limits=True,
                NUM_PROXIES="1",
            )
            return running.enter_context(shop)

        yield get


@pytest.fixture
def shop(request: pytest.FixtureRequest, get_limited_shop: GetShop) -> Iterator[Shop]:
    shop = get_limited_shop(*request.param)
    yield shop
    if shop.kind == "product":
        records_of(shop.server.log)


def new_address() -> str:
    return str(ip_address("10.0.0.0") + next(numbers))


def new_account() -> str:
    return f"ann{next(numbers)}@example.com"


def behind_proxy(address: str) -> dict[str, str]:
    """Give the header that the proxy writes for a client of this address."""
    return {"X-Forwarded-For": address}


def log_in(
    shop: Shop,
    address: str,
    email: str,
    password: str = WRONG,
    door: str = API_DOORS[0],
) -> Answer:
    """Knock at whichever of the doors, API or form."""
    headers = behind_proxy(address)
    if door in API_DOORS:
        body = {"email": email, "password": password}
        return shop.client().post(door, body, headers=headers)
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    headers["Cookie"] = f"csrftoken={CSRF}"
    form = {"username": email, "password": password, "csrfmiddlewaretoken": CSRF}
    return shop.client().post(door, urlencode(form), headers=headers)


def register(shop: Shop, address: str, email: str) -> Answer:
    person = {"first_name": "Ann", "last_name": "Lee", "phone": "1"}
    body = {**person, "email": email, "password": PASSWORD}
    return shop.client().post("/auth/register", body, headers=behind_proxy(address))


def within_a_minute(scenario: Callable[[], T]) -> T:
    """Play a scenario until no window ended meanwhile; it uses new addresses only."""
    for _ in range(5):
        minute = time.time() // MINUTE
        outcome = scenario()
        if time.time() // MINUTE == minute:
            return outcome
    raise UnexpectedAnswer("The scenario takes more than a minute.")


def many_at_once(threads: int, each: int, work: Callable[[int], T]) -> list[T]:
    """Let each of so many threads call ``work`` so often; each call has its number."""
    outcomes = at_once(
        threads, lambda i: [work(i * each + turn) for turn in range(each)]
    )
    return [outcome for of_one in outcomes for outcome in of_one]


def assert_exactly(limit: int, passed: int, answers: list[Answer]) -> None:
    """Check that so many passed, that each knows its number, and the rest must wait."""
    assert counted(answers) == {passed: limit, 429: len(answers) - limit}
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {str(limit)}
    left = [a.headers["RateLimit-Remaining"] for a in answers if a.status == passed]
    assert sorted(left) == [str(number) for number in range(limit)]
    for answer in answers:
        if answer.status == 429:
            assert answer.code == "throttled"
            assert answer.headers["RateLimit-Remaining"] == "0"
            assert int(answer.headers["Retry-After"]) > 0


class TestLimit:
    @pytest.mark.race
    def test_lets_five_of_256_logins_pass(self, shop: Shop) -> None:
        def scenario() -> list[Answer]:
            address, account = new_address(), new_account()
            return many_at_once(64, 4, lambda _: log_in(shop, address, account))

        answers = within_a_minute(scenario)

        assert_exactly(LOGINS, 401, answers)

    @pytest.mark.race
    def test_lets_three_of_64_registrations_pass(self, shop: Shop) -> None:
        def scenario() -> list[Answer]:
            address = new_address()
            return at_once(64, lambda _: register(shop, address, new_account()))

        answers = within_a_minute(scenario)

        assert_exactly(REGISTRATIONS, 201, answers)
        shop.assert_invariants()

    def test_counts_the_logins_at_all_doors_together(self, shop: Shop) -> None:
        doors = (API_DOORS + FORM_DOORS) * 4

        def scenario() -> list[Answer]:
            address, account = new_address(), new_account()
            return at_once(
                len(doors), lambda i: log_in(shop, address, account, door=doors[i])
            )

        answers = within_a_minute(scenario)

        # A form shows itself again, and that is a 200.
        statuses = counted(answers)
        assert statuses[401] + statuses[200] == LOGINS
        assert statuses[429] == len(doors) - LOGINS


class TestSpentLoginBudget:
    @pytest.mark.parametrize("door", API_DOORS + FORM_DOORS)
    def test_closes_every_door(self, shop: Shop, door: str) -> None:
        def scenario() -> Answer:
            address = new_address()
            for _ in range(LOGINS):
                log_in(shop, address, new_account()).expect(401)
            return log_in(shop, address, new_account(), door=door)

        answer = within_a_minute(scenario)

        assert answer.status == 429
        assert 0 < int(answer.headers["Retry-After"]) <= MINUTE


class TestAddressBehindAProxy:
    def test_is_not_what_a_client_says_of_itself(self, shop: Shop) -> None:
        def scenario() -> list[Answer]:
            address, account = new_address(), new_account()
            return many_at_once(
                32,
                4,
                lambda i: shop.client().post(
                    "/auth/login",
                    {"email": account, "password": WRONG},
                    headers={
                        "X-Forwarded-For": f"192.0.2.{i}, 198.51.100.{i}, {address}",
                        "Forwarded": f"for=192.0.2.{i}",
                        "X-Real-IP": f"192.0.2.{i}",
                    },
                ),
            )

        answers = within_a_minute(scenario)

        assert_exactly(LOGINS, 401, answers)

    def test_counts_apart_from_others_behind_it(self, shop: Shop) -> None:
        def scenario() -> list[Answer]:
            addresses = new_address(), new_address()
            return at_once(32, lambda i: log_in(shop, addresses[i % 2], new_account()))

        answers = within_a_minute(scenario)

        assert_exactly(LOGINS, 401, answers[::2])
        assert_exactly(LOGINS, 401, answers[1::2])


class TestShopWithoutAProxy:
    def test_believes_no_header_and_hashes_only_what_may_pass(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("no-proxy")
        module = "tests.reliability.hash_counter_settings"
        forged = [
            {name: f"for=192.0.2.{n}" if name == "Forwarded" else f"192.0.2.{n}"}
            for name in FORGEABLE
            for n in range(128)
        ]

        with running_shop(
            folder,
            on="sqlite",
            limits=True,
            DJANGO_SETTINGS_MODULE=module,
            # Here nobody has another address: no window may end in between.
            THROTTLE_LOGIN=f"{LOGINS}/day",
        ) as shop:
            client = shop.client()
            answers = many_at_once(
                64,
                6,
                lambda i: client.post(
                    "/auth/login",
                    {"email": new_account(), "password": WRONG},
                    headers=forged[i],
                ),
            )
            written = [record["message"] for record in records_of(shop.server.log)]

        assert_exactly(LOGINS, 401, answers)
        assert written.count(HASHED) == LOGINS


def attack(shop: Shop) -> tuple[Answer, Answer, list[Answer]]:
    """Guess a password from everywhere; return what then happens to its owner.

    The answers are the owner's, a stranger's with the right password, and the guesses'.
    """
    home, account = new_address(), new_account()
    register(shop, home, account).expect(201)
    log_in(shop, home, account, PASSWORD).expect(200)
    addresses = [new_address() for _ in range(50)]

    guesses = many_at_once(
        50, 2, lambda i: log_in(shop, addresses[i % 50], account, f"the-{i}th-guess")
    )

    owner = log_in(shop, home, account, PASSWORD)
    return owner, log_in(shop, new_address(), account, PASSWORD), guesses


@pytest.mark.race
class TestAttackedAccount:
    def test_costs_ten_passwords_and_keeps_no_owner_out(self, shop: Shop) -> None:
        owner, stranger, guesses = within_a_minute(lambda: attack(shop))

        # From where they signed in before; a lock for all would let attackers lock.
        assert owner.status == 200
        assert counted(guesses) == {401: FAILURES, 429: len(guesses) - FAILURES}
        # With the right password, too: one guess may be right.
        assert stranger.status == 429
        assert 0 < int(stranger.headers["Retry-After"]) <= FAILURE_SECONDS

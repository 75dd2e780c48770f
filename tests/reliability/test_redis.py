"""A Redis that dies, hangs, forgets, or comes back with what was true before."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count, cycle

import pytest
from redis import Redis as RedisClient

from .load import Answer, Client, Load, at_once, counted, percentile, until
from .services import Redis
from .shop import PROCESSES, Shop, running_shop

#: One process starts the servers for all of them.
pytestmark = pytest.mark.xdist_group("fragile redis")

AT_ONCE = 64
LOGINS = 5
STRANGER = {"email": "nobody@example.com", "password": "wrong-horse-battery"}

HUNG_SECONDS = 10
MEASURED_SECONDS = 4
P95_SECONDS = 0.3


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    redis = Redis(tmp_path_factory.mktemp("fragile-redis")).start()
    yield redis
    redis.stop()


@pytest.fixture
def redis(own_redis: Redis) -> Iterator[Redis]:
    """A Redis to break, which no test elsewhere uses."""
    yield own_redis
    own_redis.revive()


@pytest.fixture(scope="module")
def on_redis(
    own_redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A shop with few logins a day for each address; a proxy names the address."""
    with running_shop(
        tmp_path_factory.mktemp("on-fragile-redis"),
        on="sqlite",
        redis_url=f"{own_redis.url}/0",
        THROTTLE_LOGIN=f"{LOGINS}/day",
        NUM_PROXIES="1",
    ) as shop:
        yield shop


@pytest.fixture(scope="module")
def without_breaker(
    own_redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """The naive counterpart, without memory of failures and with redis-py's retries."""
    with running_shop(
        tmp_path_factory.mktemp("without_breaker"),
        on="sqlite",
        redis_url=f"{own_redis.url}/1",
        DJANGO_SETTINGS_MODULE="tests.reliability.no_breaker_settings",
    ) as shop:
        yield shop


_addresses = count(1)


@pytest.fixture
def address() -> str:
    """An address that has not signed in yet."""
    return f"203.0.113.{next(_addresses)}"


def sign_ins(shop: Shop, address: str) -> list[Answer]:
    """Let a stranger at this address try to sign in 64 times at once."""
    headers = {"X-Forwarded-For": address}
    client = shop.client()
    return at_once(
        AT_ONCE, lambda _: client.post("/auth/login", STRANGER, headers=headers)
    )


def names(answer: Answer) -> list[str]:
    return [each["full_name"] for each in answer.expect(200)]


def names_of_mechanics(client: Client) -> list[str]:
    return names(client.get("/mechanics"))


def readiness(client: Client) -> str:
    return str(client.get("//readyz").expect(200)["status"])


def await_readiness(shop: Shop, status: str) -> None:
    """Wait until every worker says so of itself."""
    until(lambda: set(shop.of_each_worker(readiness)) == {status})


class TestKilledRedis:
    def test_costs_no_answer_no_limit_and_no_freshness(
        self, redis: Redis, on_redis: Shop, address: str
    ) -> None:
        mechanic, owner = on_redis.new_mechanic(full_name="Old Name"), on_redis.owner

        with (
            Load(lambda: owner.get("/mechanics"), pause_seconds=0.01) as lists,
            Load(lambda: owner.get("//readyz"), threads=1) as ready,
        ):
            lists.await_more(20)
            redis.kill()
            logins = sign_ins(on_redis, address)
            owner.patch(f"/mechanics/{mechanic}", {"full_name": "New"}).expect(200)
            edited = time.monotonic()
            lists.await_more(20)
        page = owner.get("//admin/", headers=on_redis.in_admin())
        fresh = on_redis.of_each_worker(names_of_mechanics)
        fresh += [names(answer) for answer in lists.between(edited, math.inf)]
        without = set(on_redis.of_each_worker(readiness))
        redis.start()
        await_readiness(on_redis, "ok")

        assert counted([*lists.answers, *ready.answers, page]).keys() == {200}
        assert counted(logins) == {401: LOGINS, 429: AT_ONCE - LOGINS}
        assert all("New" in each and "Old Name" not in each for each in fresh)
        assert without == {"degraded"}
        on_redis.assert_invariants()


class TestHungRedis:
    def test_costs_next_to_nothing_after_ten_seconds(
        self, redis: Redis, on_redis: Shop, without_breaker: Shop
    ) -> None:
        naive = Load(mixed_reads(without_breaker), pause_seconds=0.01)

        with Load(mixed_reads(on_redis), threads=8, pause_seconds=0.01) as patient:
            patient.await_more(50)
            redis.pause()
            start = time.monotonic() + HUNG_SECONDS
            end = start + MEASURED_SECONDS
            until(lambda: time.monotonic() > start)
            with naive:
                until(lambda: time.monotonic() > end)
                redis.resume()
        await_readiness(on_redis, "ok")

        assert counted(patient.answers).keys() == {200}
        assert percentile(patient.between(start, end), 0.95) <= P95_SECONDS
        assert percentile(naive.between(start, end), 0.95) > P95_SECONDS


def mixed_reads(shop: Shop) -> Callable[[], Answer]:
    """Ask for the cached list, and in between for what is not cached."""
    owner, mechanic = shop.owner, shop.new_mechanic()
    paths = cycle(["/mechanics", "/inventory", "/mechanics", f"/mechanics/{mechanic}"])
    return lambda: owner.get(next(paths))


class TestRedisThatComesBack:
    def test_with_old_keys_makes_no_list_stale(
        self, redis: Redis, on_redis: Shop
    ) -> None:
        mechanic, owner = on_redis.new_mechanic(full_name="Before"), on_redis.owner
        on_redis.of_each_worker(lambda own: own.get("/mechanics").expect(200))
        with closing(RedisClient(port=redis.port)) as keys:
            old = set(keys.keys())

            redis.pause()
            owner.patch(f"/mechanics/{mechanic}", {"full_name": "After"}).expect(200)
            meanwhile = on_redis.of_each_worker(names_of_mechanics)
            redis.resume()
            at_first = on_redis.of_each_worker(names_of_mechanics)
            await_readiness(on_redis, "ok")
            later = on_redis.of_each_worker(names_of_mechanics)

            assert old
            assert old <= set(keys.keys())
        for lists in (meanwhile, at_first, later):
            assert len(lists) == PROCESSES
            assert all("After" in each and "Before" not in each for each in lists)
        on_redis.assert_invariants()


class TestFlushedRedis:
    def test_forgets_nothing_that_counts(
        self, redis: Redis, on_redis: Shop, address: str
    ) -> None:
        owner, expected = on_redis.owner, names_of_mechanics(on_redis.owner)
        before = sign_ins(on_redis, address)

        with (
            closing(RedisClient(port=redis.port)) as keys,
            Load(lambda: owner.get("/mechanics"), pause_seconds=0.01) as lists,
        ):
            for _ in range(5):
                lists.await_more(10)
                keys.flushall()
            after = sign_ins(on_redis, address)

        assert counted(before) == {401: LOGINS, 429: AT_ONCE - LOGINS}
        assert counted(after) == {429: AT_ONCE}
        assert all(names(answer) == expected for answer in lists.answers)

"""A Redis that is away or hung costs speed and nothing else."""

from __future__ import annotations

import logging
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from threading import Barrier
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache, caches
from django.test import Client
from redis import Connection, ConnectionPool, Redis
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as NoAnswer
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, TECHNICIAN
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory, user_in
from mechanic_shop.api.list_cache import cached_rendering
from mechanic_shop.core.redis_circuit_breaker import (
    COOL_DOWN_SECONDS,
    Breaker,
    CircuitBreakerRedis,
)
from mechanics.tests.factories import MechanicFactory

REDIS_SERVER = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(REDIS_SERVER is None, reason="no redis-server here")

LOGGER = "mechanic_shop.core.redis_circuit_breaker"
FAILURE = NotConnected("refused")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now

    def pass_a_rest(self) -> None:
        self.now += COOL_DOWN_SECONDS


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Breaker:
    """Put a breaker with a clock of its own into the clients."""
    breaker = Breaker(clock=clock)
    monkeypatch.setattr(CircuitBreakerRedis, "breaker", breaker)
    return breaker


class TestBreaker:
    def test_allows_everybody_while_all_is_well(self, breaker: Breaker) -> None:
        breaker.note_success()

        assert [breaker.allow_request() for _ in range(3)] == [True] * 3

    def test_allows_nobody_right_after_a_failure(
        self, breaker: Breaker, clock: Clock
    ) -> None:
        breaker.note_failure(FAILURE)
        at_once = breaker.allow_request()
        clock.now += COOL_DOWN_SECONDS - 0.01

        assert not at_once
        assert not breaker.allow_request()

    def test_allows_one_caller_after_each_rest(
        self, breaker: Breaker, clock: Clock
    ) -> None:
        breaker.note_failure(FAILURE)

        clock.pass_a_rest()
        first = [breaker.allow_request() for _ in range(3)]
        clock.pass_a_rest()
        second = [breaker.allow_request() for _ in range(3)]

        assert first == second == [True, False, False]

    def test_allows_only_one_of_many_threads(
        self, breaker: Breaker, clock: Clock
    ) -> None:
        barrier = Barrier(8)
        breaker.note_failure(FAILURE)
        clock.pass_a_rest()

        def ask(_: int) -> bool:
            barrier.wait(timeout=10)
            return breaker.allow_request()

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(ask, range(8))) == 1

    def test_rests_again_when_that_caller_fails_too(
        self, breaker: Breaker, clock: Clock
    ) -> None:
        breaker.note_failure(FAILURE)
        clock.pass_a_rest()
        breaker.allow_request()
        clock.now += 0.25

        breaker.note_failure(FAILURE)
        clock.now += COOL_DOWN_SECONDS - 0.25

        assert not breaker.allow_request()

    def test_closes_when_that_caller_gets_an_answer(
        self, breaker: Breaker, clock: Clock
    ) -> None:
        breaker.note_failure(FAILURE)
        clock.pass_a_rest()
        breaker.allow_request()

        breaker.note_success()

        assert [breaker.allow_request() for _ in range(3)] == [True] * 3

    def test_tells_the_log_once_that_it_opened_and_once_that_it_closed(
        self, breaker: Breaker, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, LOGGER)

        for _ in range(3):
            breaker.note_failure(FAILURE)
        for _ in range(3):
            breaker.note_success()

        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


class DeafConnection(Connection):
    """A connection to a host that swallows everything."""

    attempts = 0

    def _connect(self) -> socket.socket:
        type(self).attempts += 1
        raise TimeoutError


@pytest.fixture
def deaf(breaker: Breaker, monkeypatch: pytest.MonkeyPatch) -> CircuitBreakerRedis:
    monkeypatch.setattr(DeafConnection, "attempts", 0)
    return CircuitBreakerRedis(connection_pool=ConnectionPool(DeafConnection))


class TestCircuitBreakerRedis:
    def test_tries_a_command_once(self, deaf: CircuitBreakerRedis) -> None:
        with pytest.raises(NoAnswer):
            deaf.get("key")

        assert DeafConnection.attempts == 1

    def test_fails_at_once_after_a_failure(self, deaf: CircuitBreakerRedis) -> None:
        with pytest.raises(NoAnswer):
            deaf.get("key")

        for _ in range(3):
            with pytest.raises(NotConnected):
                deaf.get("key")

        assert DeafConnection.attempts == 1

    def test_asks_again_after_a_rest(
        self, deaf: CircuitBreakerRedis, clock: Clock
    ) -> None:
        with pytest.raises(NoAnswer):
            deaf.get("key")
        clock.pass_a_rest()

        with pytest.raises(NoAnswer):
            deaf.get("key")

        assert DeafConnection.attempts == 2

    def test_shares_what_it_learned_with_other_clients(
        self, deaf: CircuitBreakerRedis
    ) -> None:
        with pytest.raises(NoAnswer):
            deaf.get("key")

        with pytest.raises(NotConnected):
            CircuitBreakerRedis().get("key")

    def test_takes_a_refusal_for_an_answer(
        self,
        deaf: CircuitBreakerRedis,
        breaker: Breaker,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def refuse(*args: object, **options: object) -> None:
            raise ResponseError("OOM command not allowed")

        monkeypatch.setattr(Redis, "execute_command", refuse)

        with pytest.raises(ResponseError):
            deaf.set("key", "value")

        assert breaker.allow_request()


class OwnRedis:
    """A Redis server that one test may pause and kill."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.start()

    def start(self) -> None:
        assert REDIS_SERVER is not None
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._server = subprocess.Popen(  # noqa: S603
            [REDIS_SERVER, *options], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.01)

    def pause(self) -> None:
        self._server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._server.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._server.kill()
        self._server.wait()

    def flush(self) -> None:
        with Redis(port=self.port) as client:
            client.flushall()

    def count_keys(self) -> Any:
        with Redis(port=self.port) as client:
            return client.dbsize()

    def _answers(self) -> bool:
        try:
            with Redis(port=self.port) as client:
                return bool(client.ping())
        except NotConnected:
            return False


def use_redis(settings: LazySettings, port: int) -> None:
    """Let the cache be what the shop's settings make of a Redis at this port."""
    settings.CACHES = {
        **settings.CACHES,
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{port}/0",
            "OPTIONS": settings.REDIS_OPTIONS,
        },
    }


@pytest.fixture
def own_redis(breaker: Breaker, settings: LazySettings) -> Iterator[OwnRedis]:
    server = OwnRedis()
    use_redis(settings, server.port)
    yield server
    server.kill()


@pytest.fixture
def no_redis(breaker: Breaker, settings: LazySettings) -> None:
    use_redis(settings, port=1)


@pytest.fixture
def asked(own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the commands that the breaker lets through."""
    commands: list[str] = []
    ask = Redis.execute_command

    def note(self: Redis, *args: Any, **options: Any) -> Any:
        commands.append(args[0])
        return ask(self, *args, **options)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(Redis, "execute_command", note)
    return commands


def seconds_of(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@needs_redis
class TestCacheOnRedis:
    def test_costs_one_short_wait_and_then_next_to_nothing_when_it_hangs(
        self, own_redis: OwnRedis
    ) -> None:
        cache.set("key", "value")
        own_redis.pause()

        first = seconds_of(lambda: cache.get("key"))
        rest = [seconds_of(lambda: cache.set("key", "other")) for _ in range(20)]

        assert 0.2 < first < 2  # a quarter second, and room for a busy machine
        assert median(rest) < 0.05

    def test_answers_a_miss_while_it_hangs_and_the_value_afterwards(
        self, own_redis: OwnRedis, clock: Clock
    ) -> None:
        cache.set("key", "value")
        own_redis.pause()
        hung = [cache.get("key"), cache.get("key", "default"), cache.get("key")]

        own_redis.resume()
        resting = cache.get("key")
        clock.pass_a_rest()

        assert hung == [None, "default", None]
        assert resting is None
        assert cache.get("key") == "value"

    def test_works_again_by_itself_after_a_restart(
        self, own_redis: OwnRedis, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, LOGGER)
        cache.set("key", "value")
        own_redis.kill()
        gone = cache.get("key")

        own_redis.start()
        clock.pass_a_rest()
        cache.set("key", "new")

        assert (gone, cache.get("key")) == (None, "new")
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]

    def test_is_only_empty_after_a_flush(
        self, own_redis: OwnRedis, breaker: Breaker
    ) -> None:
        cache.set("key", "value")

        own_redis.flush()

        assert cache.get("key") is None
        assert breaker.allow_request()


@pytest.mark.django_db
class TestLoginForm:
    def test_lets_people_in_without_redis(self, client: Client, no_redis: None) -> None:
        user = UserFactory.create(superuser=True)

        for _ in range(2):
            form = {"username": user.email, "password": PASSWORD}
            assert client.post("/admin/login/", form).status_code == 302

    @needs_redis
    def test_lets_people_in_while_redis_hangs(
        self, client: Client, own_redis: OwnRedis
    ) -> None:
        user = UserFactory.create(superuser=True)
        own_redis.pause()

        for _ in range(2):
            form = {"username": user.email, "password": PASSWORD}
            assert client.post("/admin/login/", form).status_code == 302


@pytest.mark.django_db
class TestReadyz:
    def test_is_degraded_at_once_without_redis(
        self, client: Client, no_redis: None
    ) -> None:
        answer = client.get("/readyz")

        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")

    @needs_redis
    def test_waits_for_a_hung_redis_once(
        self, client: Client, own_redis: OwnRedis, asked: list[str]
    ) -> None:
        own_redis.pause()

        answers = [client.get("/readyz").json() for _ in range(3)]

        assert [answer["status"] for answer in answers] == ["degraded"] * 3
        assert asked == ["SET"]

    @needs_redis
    def test_is_ok_again_after_a_rest(
        self, client: Client, own_redis: OwnRedis, clock: Clock
    ) -> None:
        own_redis.pause()
        client.get("/readyz")

        own_redis.resume()
        clock.pass_a_rest()

        assert client.get("/readyz").json()["status"] == "ok"


@needs_redis
class TestCachedRendering:
    @pytest.mark.django_db
    def test_keeps_one_key_for_each_set_of_visible_fields(
        self, own_redis: OwnRedis, client_of: Callable[[User], APIClient]
    ) -> None:
        MechanicFactory.create()
        users = [user_in(MANAGER), user_in(TECHNICIAN), UserFactory.create()]

        for user in users * 2:
            for query in ("", "?page=2", "?x=y"):
                assert client_of(user).get(f"/api/mechanics{query}").status_code == 200

        assert own_redis.count_keys() == 3

    def test_renders_once_and_stores_no_more_than_the_rendering(
        self, own_redis: OwnRedis
    ) -> None:
        times: list[bytes] = []

        def render() -> bytes:
            times.append(b"[]")
            return times[-1]

        answers = [cached_rendering(render, key="k", seconds=9) for _ in range(2)]
        stored: Any = cache
        [page] = [stored.get(key) for key in stored.keys("*")]

        assert (answers, len(times)) == ([b"[]", b"[]"], 1)
        assert page.content == b"[]"
        assert not page.cookies
        assert {*page.headers} == {"Cache-Control", "Content-Type", "Expires"}

    def test_renders_each_time_while_redis_hangs(self, own_redis: OwnRedis) -> None:
        own_redis.pause()
        cached_rendering(lambda: b"old", key="k", seconds=9)
        caches["process"].clear()

        assert cached_rendering(lambda: b"new", key="k", seconds=9) == b"new"

    def test_is_at_hand_when_redis_has_lost_it(self, own_redis: OwnRedis) -> None:
        cached_rendering(lambda: b"[]", key="k", seconds=9)
        cache.clear()

        def render() -> bytes:
            raise AssertionError("It is here already.")

        assert cached_rendering(render, key="k", seconds=9) == b"[]"

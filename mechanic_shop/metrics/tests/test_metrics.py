"""What the shop does shows in its figures, and only to who has the token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.db import OperationalError, connection
from django.test import Client
from prometheus_client import CollectorRegistry

from inventory.services import InsufficientStock, adjust_stock
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanic_shop.api.list_cache import cached_rendering
from mechanic_shop.core.query_hooks import QueryHook
from mechanic_shop.core.transactions import TRIES, run_with_retries
from mechanic_shop.metrics import middleware
from mechanic_shop.metrics.prometheus import PrometheusMeter, reason_of
from mechanic_shop.metrics.query_counter import query_counter
from tests.test_settings import GOOD, start

TOKEN = "a-token-that-only-these-tests-know-0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Figures:
    """What has been counted since the test began."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def __call__(self, name: str, **labels: str) -> float:
        return self._registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Iterator[Figures]:
    registry = CollectorRegistry()
    meter = PrometheusMeter(registry)
    monkeypatch.setattr(middleware, "start", lambda: meter)
    meter.connect()
    with connection.execute_wrapper(QueryHook(query_counter.count)):
        yield Figures(registry)
    meter.disconnect()


@pytest.fixture
def counted(figures: Figures, settings: LazySettings) -> Figures:
    """Count requests too."""
    settings.MIDDLEWARE = [
        "mechanic_shop.metrics.middleware.MetricsMiddleware",
        *settings.MIDDLEWARE,
    ]
    return figures


@pytest.mark.django_db
class TestRequests:
    def test_are_counted_by_method_route_and_status(
        self, counted: Figures, shop: Any
    ) -> None:
        labels = {"method": "GET", "route": "/api/inventory/{pk}"}
        part = PartFactory.create()

        for pk in (part.pk, part.pk, part.pk + 1):
            shop.get(f"/api/inventory/{pk}")

        assert counted("shop_http_requests_total", status="200", **labels) == 2
        assert counted("shop_http_requests_total", status="404", **labels) == 1
        assert counted("shop_http_request_duration_seconds_count", **labels) == 3
        assert 0 < counted("shop_http_request_duration_seconds_sum", **labels) < 10

    def test_are_counted_with_their_queries(self, counted: Figures, shop: Any) -> None:
        labels = {"method": "GET", "route": "/api/inventory/{pk}"}
        part = PartFactory.create()
        before = counted("shop_db_queries_total")

        shop.get(f"/api/inventory/{part.pk}")

        asked = counted("shop_http_request_db_queries_sum", **labels)
        assert asked == 2  # the session with its user, the part
        assert counted("shop_db_queries_total") - before == asked
        assert counted("shop_db_query_seconds_total") > 0

    def test_that_ask_nothing_do_not_get_the_queries_of_the_one_before(
        self, counted: Figures, shop: Any
    ) -> None:
        shop.get("/api/inventory")
        shop.get("/healthz")

        labels = {"method": "GET", "route": "/healthz"}
        assert counted("shop_http_request_db_queries_count", **labels) == 1
        assert counted("shop_http_request_db_queries_sum", **labels) == 0

    def test_make_no_new_series_by_what_they_ask_for(
        self, counted: Figures, client: Client
    ) -> None:
        for name in ("a", "b", "c"):
            client.get(f"/{name}")
            client.generic(f"X{name}", "/healthz")

        unknown = {"method": "GET", "route": "unmatched", "status": "404"}
        odd = {"method": "other", "route": "/healthz", "status": "200"}
        assert counted("shop_http_requests_total", **unknown) == 3
        assert counted("shop_http_requests_total", **odd) == 3


@pytest.mark.django_db
class TestReports:
    def test_count_who_is_over_a_limit(
        self, figures: Figures, client: Client, settings: LazySettings
    ) -> None:
        settings.THROTTLES = {**settings.THROTTLES, "LOGIN": (2, 60)}

        for _ in range(5):
            client.post("/api/auth/login", {"email": "x"}, "application/json")

        assert figures("shop_throttled_total", rule="login") == 3

    def test_count_who_guesses_too_often(
        self, figures: Figures, client: Client, settings: LazySettings
    ) -> None:
        settings.THROTTLES = {**settings.THROTTLES, "LOGIN": (99, 60)}
        body = {"email": UserFactory.create().email, "password": "x"}

        for _ in range(12):
            client.post("/api/auth/login", body, "application/json")

        assert figures("shop_throttled_total", rule="account") == 2

    def test_count_shortages(self, figures: Figures, owner: User) -> None:
        part = PartFactory.create(quantity_in_stock=1)
        adjust_stock(part=part, adjustment=-1, by=owner)

        with pytest.raises(InsufficientStock):
            adjust_stock(part=part, adjustment=-1, by=owner)

        assert figures("shop_stock_shortages_total") == 1

    def test_count_hits_misses_and_errors_of_the_cache(
        self, figures: Figures, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*args: Any) -> None:
            raise ConnectionError

        for key in ("one", "one", "one", "two"):
            cached_rendering(lambda: b"[]", key=key, seconds=60)
        monkeypatch.setattr("mechanic_shop.api.list_cache.PageCache.get", away)
        cached_rendering(lambda: b"[]", key="three", seconds=60)

        asked = "shop_cache_requests_total"
        assert figures(asked, result="hit") == 2
        assert figures(asked, result="miss") == 2
        assert figures(asked, result="error") == 1

    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            ((1213, "Deadlock found"), "deadlock"),
            ((1205, "Lock wait timeout exceeded"), "lock_wait_timeout"),
            ((1020, "Record has changed"), "row_changed"),
            ((1047, "Node has not prepared"), "other"),
            (("database is locked",), "locked"),
            ((), "other"),
        ],
    )
    def test_name_what_the_database_said(
        self, said: tuple[Any, ...], reason: str
    ) -> None:
        assert reason_of(OperationalError(*said)) == reason


@pytest.mark.django_db
class TestRetries:
    def test_are_counted_but_for_the_error_that_ends_them(
        self, figures: Figures, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = "mechanic_shop.core.transactions"
        monkeypatch.setattr(f"{module}.time.sleep", lambda _: None)
        monkeypatch.setattr(f"{module}.connection", Outermost)

        with pytest.raises(OperationalError):
            run_with_retries(always_deadlocked)

        counted = figures("shop_transaction_retries_total", reason="deadlock")
        assert counted == TRIES - 1


class Outermost:
    in_atomic_block = False


def always_deadlocked() -> None:
    raise OperationalError(1213, "Deadlock found")


class TestMetricsPage:
    def test_is_not_there_without_a_token_in_the_settings(self, client: Client) -> None:
        assert not settings.METRICS_TOKEN
        assert client.get("/metrics", headers=BEARER).status_code == 404

    @pytest.mark.parametrize(
        "header", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "é"]
    )
    def test_is_for_those_who_have_the_token(
        self, client: Client, settings: LazySettings, header: str
    ) -> None:
        settings.METRICS_TOKEN = TOKEN

        answer = client.get("/metrics", headers={"Authorization": header})

        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert answer.content == b""

    def test_only_answers_reading(self, client: Client, settings: LazySettings) -> None:
        settings.METRICS_TOKEN = TOKEN

        assert client.get("/metrics", headers=BEARER).status_code == 200
        assert client.post("/metrics", headers=BEARER).status_code == 405


class TestMetricsOff:
    CODE = """
import sys, mechanic_shop.wsgi
from django.conf import settings
print("prometheus_client" in sys.modules, len(settings.MIDDLEWARE))"""

    def test_cost_neither_memory_nor_a_middleware(self) -> None:
        off, on = (
            start(GOOD, self.CODE),
            start(GOOD | {"METRICS_TOKEN": TOKEN}, self.CODE),
        )

        assert (off.returncode, on.returncode) == (0, 0)
        loaded, middleware_off = off.stdout.split()
        _, middleware_on = on.stdout.split()
        assert loaded == "False"
        assert int(middleware_on) == int(middleware_off) + 1
        assert on.stdout.startswith("True")

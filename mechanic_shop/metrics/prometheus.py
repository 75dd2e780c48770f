"""What Prometheus reads: the metrics, and how the processes of a server add them up.

This module alone imports Prometheus' client, and only the middleware and an authorised
reader import this module: a server without metrics does not pay for its memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.dispatch import Signal
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from inventory.signals import stock_ran_short
from mechanic_shop.api.list_cache import cache_asked
from mechanic_shop.api.throttling import request_throttled
from mechanic_shop.core.query_hooks import observe_queries
from mechanic_shop.core.transactions import transaction_retried

from .query_counter import query_counter

#: The client's own: names the folder in which the processes of one server keep their
#: figures. The server sets it; a development server is one process and has none.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

#: Others can be invented without end.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
QUERIES = (1, 2, 3, 5, 8, 13, 21, 50, 100)
#: What the database said when a transaction had to give way, by its error number.
REASONS = {1213: "deadlock", 1205: "lock_wait_timeout", 1020: "row_changed"}


class PrometheusMeter:
    """The shop's metrics, registered in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "shop_http_requests_total",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "shop_http_request_duration_seconds",
            "Time until a request was answered, in seconds.",
            ["method", "route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._queries_of_request = Histogram(
            "shop_http_request_db_queries",
            "Statements that a request sent to the database.",
            ["method", "route"],
            buckets=QUERIES,
            registry=registry,
        )
        self._queries = Counter(
            "shop_db_queries_total",
            "Statements that requests sent to the database.",
            registry=registry,
        )
        self._query_seconds = Counter(
            "shop_db_query_seconds_total",
            "Time that requests waited for the database, in seconds.",
            registry=registry,
        )
        self._throttled = Counter(
            "shop_throttled_total",
            "Requests that found the budget of a limit used up.",
            ["rule"],
            registry=registry,
        )
        self._shortages = Counter(
            "shop_stock_shortages_total",
            "Times that more units of a part were wanted than there were.",
            registry=registry,
        )
        self._cache = Counter(
            "shop_cache_requests_total",
            "Times that the cache of lists was asked: hit, miss or error.",
            ["result"],
            registry=registry,
        )
        self._retries = Counter(
            "shop_transaction_retries_total",
            "Transactions that started over because the database asked for it.",
            ["reason"],
            registry=registry,
        )

    def connect(self) -> None:
        """Count from now on what the shop tells by its signals."""
        for signal, receiver in self._receivers():
            signal.connect(receiver, weak=False)

    def disconnect(self) -> None:
        for signal, receiver in self._receivers():
            signal.disconnect(receiver)

    def _receivers(self) -> tuple[tuple[Signal, Callable[..., None]], ...]:
        return (
            (request_throttled, self.count_throttled),
            (stock_ran_short, self.count_shortage),
            (cache_asked, self.count_cache_lookup),
            (transaction_retried, self.count_retry),
        )

    def observe_request(
        self,
        *,
        method: str,
        route: str,
        status: int,
        seconds: float,
        queries: int,
        query_seconds: float,
    ) -> None:
        """Count one request."""
        method = method if method in METHODS else "other"
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)
        self._queries_of_request.labels(method, route).observe(queries)
        self._queries.inc(queries)
        self._query_seconds.inc(query_seconds)

    def count_throttled(self, *, rule: str, **kwargs: Any) -> None:
        self._throttled.labels(rule.lower()).inc()

    def count_shortage(self, **kwargs: Any) -> None:
        self._shortages.inc()

    def count_cache_lookup(self, *, result: str, **kwargs: Any) -> None:
        self._cache.labels(result).inc()

    def count_retry(self, *, error: Exception, **kwargs: Any) -> None:
        self._retries.labels(reason_of(error)).inc()


def reason_of(error: Exception) -> str:
    """Say in one word why a transaction has to start over."""
    what = error.args[0] if isinstance(error, OperationalError) and error.args else None
    if isinstance(what, str):
        return "locked"  # SQLite knows words only, and no other reason
    return REASONS.get(what or 0, "other")


@cache
def start() -> PrometheusMeter:
    """Count in this process from now on."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        Path(folder).mkdir(mode=0o700, exist_ok=True)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    meter = PrometheusMeter(_own_registry())
    meter.connect()
    observe_queries(query_counter.count)
    return meter


def exposition() -> bytes:
    """Write down the figures of all processes of this server."""
    if FOLDER_VARIABLE not in os.environ:
        return generate_latest(_own_registry())
    everybodys = CollectorRegistry()
    MultiProcessCollector(everybodys)  # type: ignore[no-untyped-call]
    return generate_latest(everybodys)


@cache
def _own_registry() -> CollectorRegistry:
    return CollectorRegistry()

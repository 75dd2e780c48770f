"""Count requests, how long they take, and what they ask of the database."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponse

from mechanic_shop.core.route_names import route_of

from .prometheus import start
from .query_counter import query_counter


class MetricsMiddleware:
    """Stands outside of all others; installed only where ``METRICS_TOKEN`` is set."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.meter = start()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        query_counter.reset()
        response = self.get_response(request)
        self.meter.observe_request(
            method=request.method or "",
            route=route_of(request),
            status=response.status_code,
            seconds=perf_counter() - began,
            queries=query_counter.queries,
            query_seconds=query_counter.seconds,
        )
        return response

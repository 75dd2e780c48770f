"""The access log: one record for each response.

Off by default, since the proxy in front keeps one. Each record is one JSON object of
the logger ``access``: ``method``, ``route``, ``path`` (without the query string, in
which people search for names), ``status``, ``duration_ms`` until the answer's headers,
``user_id`` of a caller who is known, and the ``request_id`` that the other logs have.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter

from django.http import HttpRequest, HttpResponse

from mechanic_shop.api.middleware.security_log import (
    LONGEST_METHOD,
    LONGEST_PATH,
    known_user_id,
)
from mechanic_shop.core.log_formatters import conceal
from mechanic_shop.core.route_names import route_of

logger = logging.getLogger("access")


class AccessLogMiddleware:
    """Stands outside of all others: what it logs is what the client gets."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        response = self.get_response(request)
        facts = {
            "method": (request.method or "")[:LONGEST_METHOD],
            "route": route_of(request),
            "path": conceal(request.path)[:LONGEST_PATH],
            "status": response.status_code,
            "duration_ms": round((perf_counter() - began) * 1000, 1),
            "user_id": known_user_id(request),
        }
        logger.info("request", extra=facts)
        return response

"""The slow-query log: what the database took long for, and for which request.

Each record is one JSON object of the logger ``slow_queries``. ``sql`` is the statement
with placeholders: its values may be personal, and are never written. ``duration_ms`` is
how long this side waited, locks and network included; ``route`` and ``request_id`` lead
to the request.
"""

from __future__ import annotations

import logging

from mechanic_shop.api.middleware.security_log import current_request
from mechanic_shop.core.route_names import route_of

logger = logging.getLogger("slow_queries")

LONGEST_SQL = 2000


class SlowQueryLog:
    """Log the statements that take some milliseconds or more."""

    def __init__(self, *, milliseconds: int) -> None:
        self._limit_seconds = milliseconds / 1000

    def __call__(self, sql: str, seconds: float) -> None:
        if seconds >= self._limit_seconds:
            _log(sql, seconds)


def _log(sql: str, seconds: float) -> None:
    request = current_request.get()
    facts = {
        "sql": sql[:LONGEST_SQL],
        "duration_ms": round(seconds * 1000, 1),
        "route": None if request is None else route_of(request),
    }
    logger.warning("slow_query", extra=facts)

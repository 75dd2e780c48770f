"""Cache of COUNT(*) for tables of more than 100,000 rows.

A database counts rows by looking at each of them. Up to ``EXACT_UP_TO`` rows that is
done for every response, so that a number is always true; above, one is used for
``KEEP_SECONDS``. Each process keeps its own: nothing is asked of another machine, and
nothing depends on it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.core.cache import caches
from django.db.models import Model, QuerySet

EXACT_UP_TO = 100_000
KEEP_SECONDS = 30

#: Of these some list was long. A shop without any is asked for nothing more.
_long: set[type[Model]] = set()


def recent(rows: QuerySet[Any]) -> Any:
    """Return what was counted of the same rows a little while ago, or None."""
    if rows.model not in _long:
        return None
    return caches["process"].get(_key(rows))


def note(rows: QuerySet[Any], counted: Any, *, total: int) -> None:
    """Keep what was counted, if it took looking at more than a few rows."""
    if total > EXACT_UP_TO:
        _long.add(rows.model)
        caches["process"].set(_key(rows), counted, KEEP_SECONDS)


def _key(rows: QuerySet[Any]) -> str:
    sql = rows.order_by().values("pk").query.sql_with_params()
    return sha256(repr(sql).encode()).hexdigest()

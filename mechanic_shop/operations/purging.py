"""What the shop remembers for a while, and when it may be forgotten.

Each kind of row has a query for those that no longer mean anything. A row that still
counts never matches: a session that opens something, a key whose answer would be
replayed, a counter of a running window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from mechanic_shop.core.app_config import get_shop_apps
from mechanic_shop.core.transactions import retry_on_deadlock

Rows = QuerySet[Any]

#: More in one transaction would keep others waiting.
BATCH_ROWS = 1_000


class Kind(NamedTuple):
    """A kind of row, and those of it that mean nothing any more at a time."""

    name: str
    leftovers: Callable[[datetime], Rows]


def get_kinds() -> list[Kind]:
    """Return what the installed apps declare as their ``retention``."""
    return [
        Kind(name, import_string(path))
        for app in get_shop_apps()
        for name, path in app.retention.items()
    ]


def count() -> Iterator[tuple[str, int]]:
    """Tell for each kind how many rows ``purge`` would remove."""
    now = timezone.now()
    for kind in get_kinds():
        yield kind.name, kind.leftovers(now).count()


def purge() -> Iterator[tuple[str, int]]:
    """Remove what means nothing any more; tell for each kind how many rows went."""
    now = timezone.now()
    for kind in get_kinds():
        yield kind.name, _remove(kind.leftovers(now))


def _remove(rows: Rows) -> int:
    removed = 0
    while batch := _remove_batch(rows):
        removed += batch
    return removed


@retry_on_deadlock
@transaction.atomic
def _remove_batch(rows: Rows) -> int:
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH_ROWS])
    # Asked again while deleting: a row may have come back to life in between.
    removed, _ = rows.filter(pk__in=keys).delete()
    return removed

"""Read the rows of a whole table in batches, by primary key.

Django has no cursors of the server on MySQL: there, ``iterator()`` loads all the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)

BATCH_SIZE = 500


def row_batches(rows: QuerySet[M]) -> Iterator[list[M]]:
    """Yield the rows by their keys; those of a batch may be written meanwhile."""
    ordered = rows.order_by("pk")
    batch = list(ordered[:BATCH_SIZE])
    while batch:
        yield batch
        if len(batch) < BATCH_SIZE:
            return
        batch = list(ordered.filter(pk__gt=batch[-1].pk)[:BATCH_SIZE])

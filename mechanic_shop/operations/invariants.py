"""Invariants of every app: what rows are found by is what they say."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.utils.text import capfirst

from mechanic_shop.core.registry import invariants
from mechanic_shop.core.search_columns import find_stale_rows, search_columns


@invariants.add
def stale_search_columns() -> Iterator[str]:
    for model in apps.get_models():
        if columns := search_columns(model):
            for row in find_stale_rows(model._base_manager.all(), columns):
                name = capfirst(str(model._meta.verbose_name))
                yield f"{name} {row.pk} is found by what it was: run refresh_copies."

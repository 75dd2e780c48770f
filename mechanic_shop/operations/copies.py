"""Complete the search columns of rows that an earlier release has written."""

from __future__ import annotations

from django.apps import apps

from mechanic_shop.core.registry import copy_refreshers
from mechanic_shop.core.search_columns import refresh_search_columns, search_columns


@copy_refreshers.add
def refresh_all_search_columns() -> int:
    models = [model for model in apps.get_models() if search_columns(model)]
    return sum(refresh_search_columns(model) for model in models)

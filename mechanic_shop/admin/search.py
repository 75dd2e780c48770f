"""Results of the apps' ``search.py`` modules."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Model
from django.urls import reverse
from unfold.dataclasses import SearchResult

#: More of a kind than this is a list to filter, not a thing to jump to.
MAX_RESULTS = 6


def search_result(
    row: Model, title: str, description: Iterable[str], icon: str
) -> SearchResult:
    """Link to a row's page; empty parts of the description are left out."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    text = " · ".join(part for part in description if part)
    return SearchResult(title, text, reverse(name, args=[row.pk]), icon)

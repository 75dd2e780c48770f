"""Find parts from anywhere in the back office."""

from __future__ import annotations

from collections.abc import Iterator

from unfold.dataclasses import SearchResult

from mechanic_shop.accounts.models import User
from mechanic_shop.admin.search import MAX_RESULTS, search_result
from mechanic_shop.core.registry import search_source
from mechanic_shop.core.search_text import match_words

from .models import Part


@search_source("inventory.view_part", order=40)
def find_parts(user: User, term: str) -> Iterator[SearchResult]:
    wanted = match_words(term.split(), "search_text")
    rows = Part.objects.visible_to(user).filter(wanted)
    for part in rows.order_by("-is_active", "part_number", "pk")[:MAX_RESULTS]:
        description = [f"{part.quantity_in_stock:,} in stock"]
        description += ["to be ordered"] if part.needs_reorder else []
        description += [] if part.is_active else ["not in use"]
        yield search_result(part, str(part), description, "inventory_2")

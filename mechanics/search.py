"""Find mechanics from anywhere in the back office."""

from __future__ import annotations

from collections.abc import Iterator

from unfold.dataclasses import SearchResult

from mechanic_shop.accounts.models import User
from mechanic_shop.admin.search import MAX_RESULTS, search_result
from mechanic_shop.core.registry import search_source
from mechanic_shop.core.search_text import match_words

from .models import Mechanic


@search_source("mechanics.view_mechanic", order=50)
def find_mechanics(user: User, term: str) -> Iterator[SearchResult]:
    wanted = match_words(term.split(), "search_text")
    rows = Mechanic.objects.visible_to(user).filter(wanted)
    for mechanic in rows.order_by("-is_active", "full_name", "pk")[:MAX_RESULTS]:
        description = [mechanic.phone, "" if mechanic.is_active else "left"]
        yield search_result(mechanic, str(mechanic), description, "engineering")

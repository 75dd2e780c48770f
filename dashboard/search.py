"""The search of the admin site (Ctrl+K) in tickets, people, vehicles and parts.

It runs one query for each kind of row that the user may view.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.dataclasses import SearchResult

from mechanic_shop.admin import user_of
from mechanic_shop.core.registry import search_sources
from mechanic_shop.core.search_text import split_words


def search(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Render the results of the search box.

    Unfold's own view caches results for five minutes: also names of customers who were
    erased meanwhile, and rows that the user may not see any more.
    """
    began = perf_counter()
    typed = request.GET.get("s", "").strip()
    if not typed:
        return HttpResponse()
    results: list[SearchResult] = []
    if term := " ".join(read_words(typed)):
        results = [*_find_pages(request, term), *search_callback(request, term)]
    context = {
        "results": results,
        "page_obj": Paginator(results, max(1, len(results))),
        "page_counter": 0,
        "execution_time": perf_counter() - began,
        "command_show_history": False,
    }
    template = "unfold/helpers/command_results.html"
    headers = {"HX-Trigger": "search"}
    return TemplateResponse(request, template, context, headers=headers)


def read_words(typed: str) -> list[str]:
    """Return the words that were typed; none if they are too many for a search."""
    try:
        return split_words(typed)
    except ValidationError:
        return []


def search_callback(request: HttpRequest, term: str) -> list[SearchResult]:
    """Find rows that the user may view, a few of each kind."""
    user = user_of(request)
    return [
        result
        for source in sorted(search_sources, key=lambda source: source.order)
        if user.has_perm(source.permission)
        for result in source.find(user, term)
    ]


def _find_pages(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """Find links of the sidebar."""
    site: Any = admin.site  # unfold's, which Django's stubs do not know
    for group in site.get_sidebar_list(request):
        for item in group["items"]:
            if item["has_permission"] and term.lower() in item["title"].lower():
                yield SearchResult(
                    item["title"], group["title"], str(item["link"]), item["icon"]
                )

"""Results and text matching that the apps' ``search.py`` modules share."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import F, Model, Q, Value
from django.db.models.functions import Replace
from django.urls import reverse
from unfold.dataclasses import SearchResult

#: More of a kind than this is a list to filter, not a thing to jump to.
MAX_RESULTS = 6
#: What people put between the digits of a phone number or the groups of a plate.
PUNCTUATION = " -().+/"


def search_result(
    row: Model, title: str, description: Iterable[str], icon: str
) -> SearchResult:
    """Link to a row's page; empty parts of the description are left out."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    text = " · ".join(part for part in description if part)
    return SearchResult(title, text, reverse(name, args=[row.pk]), icon)


def match_every_word(term: str, *fields: str) -> Q:
    """Match rows that have each word in one of the fields.

    “ada love” finds Ada Lovelace.
    """
    words = [
        reduce(or_, (Q(**{f"{field}__icontains": word}) for field in fields))
        for word in term.split()
    ]
    return reduce(and_, words)


def strip_punctuation(term: str) -> str:
    return "".join(sign for sign in term if sign not in PUNCTUATION)


def column_without_punctuation(field: str) -> Any:
    bare: Any = F(field)
    for sign in PUNCTUATION:
        bare = Replace(bare, Value(sign), Value(""))
    return bare

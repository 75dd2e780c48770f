"""Query parameters: known ones are checked, unknown ones ignored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django_filters.rest_framework import DjangoFilterBackend, FilterSet

TRUE_WORDS = {"true", "1"}
FALSE_WORDS = {"false", "0"}
MAX_ID = 2**63 - 1


class StrictFilterBackend(DjangoFilterBackend):
    """Apply the view's ``filterset_class``; a bad value is a 400 that names it."""


class StrictBooleanField(forms.NullBooleanField):
    """Read true/false and 1/0; anything else is an error, not "no filter"."""

    def to_python(self, value: Any) -> bool | None:  # type: ignore[override]
        if value in (None, ""):
            return None
        word = str(value).lower()
        if word in TRUE_WORDS | FALSE_WORDS:
            return word in TRUE_WORDS
        raise forms.ValidationError("Send true or false.")


class StrictBooleanFilter(django_filters.BooleanFilter):
    field_class = StrictBooleanField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput())
        super().__init__(*args, **kwargs)


class WholeNumberFilter(django_filters.Filter):
    """Match an integer column; 1.5 is an error, not 1."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", 1)
        kwargs.setdefault("max_value", MAX_ID)
        super().__init__(*args, **kwargs)


class TotalOrderingFilter(django_filters.OrderingFilter):
    """Order by allow-listed fields, then by primary key: pages never overlap."""

    def filter(self, qs: QuerySet[Any], value: Sequence[str] | None) -> QuerySet[Any]:
        if not value:
            return qs
        ordering = [self.get_ordering_value(param) for param in value]
        last = "-pk" if str(ordering[-1]).startswith("-") else "pk"
        return qs.order_by(*ordering, last)


def matching(queryset: QuerySet[Any], text: str, *columns: str) -> QuerySet[Any]:
    """Keep the rows in which every word of ``text`` occurs in one of the columns."""
    for word in text.split():
        either = Q()
        for column in columns:
            either |= Q(**{f"{column}__icontains": word})
        queryset = queryset.filter(either)
    return queryset


class ShopFilterSet(FilterSet):
    """The base of the list filters; ``search_columns`` makes ``search`` work."""

    search_columns: Sequence[str] = ()

    def filter_search(
        self, queryset: QuerySet[Any], name: str, value: str
    ) -> QuerySet[Any]:
        return matching(queryset, value, *self.search_columns)

"""Query parameters: known ones are checked, unknown ones ignored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

import django_filters
import django_filters.fields
from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.drainage import set_override
from rest_framework.exceptions import ValidationError

from mechanic_shop.core.search_text import MAX_LENGTH, match_words, split_words

from .choice_fields import listed
from .plain_fields import WHOLE_NUMBER

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

TRUE_WORDS = {"true", "1"}
FALSE_WORDS = {"false", "0"}
MAX_ID = 2**63 - 1
#: More than any list parameter has different values.
MAX_VALUES = 20


def set_schema(query_filter: django_filters.Filter, **schema: Any) -> None:
    """Tell the OpenAPI document which values a filter takes."""
    description = query_filter.extra.get("help_text", "")
    set_override(query_filter, "field", {**schema, "description": description})


class TextField(forms.CharField):
    """A text that is no longer than anything it could be compared with."""

    def clean(self, value: Any) -> Any:
        if len(value or "") > MAX_LENGTH:
            raise forms.ValidationError(f"Send at most {MAX_LENGTH} characters.")
        return super().clean(value)


class TextFilter(django_filters.CharFilter):
    field_class: type[forms.CharField] = TextField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_schema(self, type="string", maxLength=MAX_LENGTH)


class SearchField(forms.CharField):
    """Read the distinct words of a search."""

    def clean(self, value: Any) -> list[str]:
        return split_words(super().clean(value) or "")


class SearchFilter(TextFilter):
    """Keep the rows that have all words in the filter set's ``search_columns``."""

    field_class = SearchField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(method="filter_search", **kwargs)


class StrictFilterBackend(DjangoFilterBackend):
    """Apply the view's ``filterset_class`` to lists; a bad value is a 400."""

    def get_filterset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> Any:
        """:raises ValidationError: if a filter that takes one value has several"""
        filterset = super().get_filterset(request, queryset, view)
        for name, each in filterset.filters.items() if filterset else ():
            values = set(request.query_params.getlist(name)) - {""}
            if len(values) > 1 and not getattr(each, "takes_several", False):
                raise ValidationError({name: ["Send this parameter once."]})
        return filterset

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        if getattr(view, "detail", False):
            return queryset
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


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


class UTCDateTimeFormField(django_filters.fields.IsoDateTimeField):
    """Read an ISO 8601 time, in UTC unless it says otherwise."""

    def clean(self, value: Any) -> Any:
        try:
            with timezone.override(UTC):
                moment = super().clean(value)
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise forms.ValidationError("This time is out of range.") from error


class UTCDateTimeFilter(django_filters.IsoDateTimeFilter):
    field_class = UTCDateTimeFormField


class Repeatable(forms.Widget):
    """Read ``a=1&a=2``, of which Django takes the last."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [value for value in data.getlist(name) if value]


class RepeatableInput(Repeatable, forms.TextInput):
    def format_value(self, value: Any) -> Any:
        return ",".join(value) if isinstance(value, list) else value


class RepeatableNumberInput(RepeatableInput, forms.NumberInput):
    pass


class WholeNumbersField(forms.IntegerField):
    """Read the whole numbers of a parameter that may be repeated."""

    widget = RepeatableNumberInput

    def clean(self, value: Any) -> list[int]:
        clean = super().clean
        values = read_list(value)
        if not all(WHOLE_NUMBER.fullmatch(each) for each in values):
            raise forms.ValidationError(self.error_messages["invalid"])
        return [clean(each) for each in values]


class WholeNumberFilter(django_filters.Filter):
    """Match an integer column, repeated by any of the numbers; 1.5 is an error."""

    field_class = WholeNumbersField
    takes_several = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", 1)
        kwargs.setdefault("max_value", MAX_ID)
        super().__init__(*args, **kwargs)
        bounds = {"minimum": kwargs["min_value"], "maximum": kwargs["max_value"]}
        set_schema(self, type="integer", format="int64", **bounds)

    def filter(self, qs: QuerySet[Any], value: list[int]) -> QuerySet[Any]:
        if len(value) > 1:
            return qs.filter(**{f"{self.field_name}__in": value})
        filtered: QuerySet[Any] = super().filter(qs, value[0] if value else None)
        return filtered


def read_list(value: Sequence[str]) -> list[str]:
    """Return the distinct values of a list parameter.

    :raises ValidationError: if there are more than any list has different ones
    """
    if len(value) > MAX_VALUES:
        raise forms.ValidationError(f"Send at most {MAX_VALUES} values.")
    return list(dict.fromkeys(value))


class CommaSeparated(Repeatable):
    """Read ``a=1,2`` and ``a=1&a=2``."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        values = super().value_from_datadict(data, files, name)
        return [word for word in map(str.strip, ",".join(values).split(",")) if word]


class ListInput(CommaSeparated, RepeatableInput):
    pass


class ListSelect(CommaSeparated, forms.Select):
    pass


class OrderingField(django_filters.fields.BaseCSVField):
    widget = ListSelect

    def clean(self, value: Any) -> Any:
        return super().clean(read_list(value or ()))


class TotalOrderingFilter(django_filters.OrderingFilter):
    """Order by allow-listed fields, then by primary key: pages never overlap."""

    base_field_class = OrderingField
    takes_several = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Sort by one or several; `-` reverses.")
        super().__init__(*args, **kwargs)
        choices = listed(name for name, _ in self.extra["choices"])
        self.extra["error_messages"] = {
            "invalid_choice": f'"%(value)s" is none of the choices: {choices}.'
        }

    def filter(self, qs: QuerySet[Any], value: Sequence[str] | None) -> QuerySet[Any]:
        if not value:
            return qs
        ordering = [self.get_ordering_value(param) for param in value]
        last = "-pk" if str(ordering[-1]).startswith("-") else "pk"
        return qs.order_by(*ordering, last)


class ShopFilterSet(FilterSet):
    """The base of the list filters; see ``match_words`` for ``search_columns``."""

    search_columns: Sequence[str] = ("search_text",)

    def filter_search(
        self, queryset: QuerySet[Any], name: str, words: list[str]
    ) -> QuerySet[Any]:
        return queryset.filter(match_words(words, *self.search_columns))

"""Query parameters: known ones are checked, unknown ones ignored."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, ClassVar

import django_filters
import django_filters.fields
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters import utils
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.drainage import set_override

from mechanic_shop.queries import name_of

from .choice_fields import listed

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

TRUE_WORDS = {"true", "1"}
FALSE_WORDS = {"false", "0"}
MAX_ID = 2**63 - 1
#: So many filters at once have a filter set of their own; of more there are too many.
FEW = 3
#: Lists that were asked for before, and how many of them are kept.
_known: dict[Hashable, QuerySet[Any]] = {}
MAX_KNOWN = 500


def document(query_filter: django_filters.Filter, **schema: Any) -> None:
    """Tell the OpenAPI document which values a filter takes."""
    description = query_filter.extra.get("help_text", "")
    set_override(query_filter, "field", {**schema, "description": description})


class StrictFilterBackend(DjangoFilterBackend):
    """Apply the view's ``filterset_class`` to lists; a bad value is a 400.

    A list with only such conditions as are the same for everybody, like the parts that
    are low in stock, is put together once: its form and its conditions take longer than
    its answer. So what a filter makes of a value may depend on the caller only if it
    shows in the conditions, as somebody's id does.
    """

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        filters = self.get_filterset_class(view, queryset)
        if filters is None or getattr(view, "detail", False):
            return queryset
        wanted = {
            name: tuple(values)
            for name, values in request.query_params.lists()
            if name in filters.base_filters
        }
        name = name_of(queryset)
        key = (filters, name, *sorted(wanted.items()))
        rows = _known.get(key)
        if rows is None:
            rows = self._filtered(request, queryset, filters, frozenset(wanted))
            if name is not None and name_of(rows) is not None:
                _remember(key, rows)
        return rows.all()

    def _filtered(
        self,
        request: Request,
        queryset: QuerySet[Any],
        filters: type[ShopFilterSet],
        wanted: frozenset[str],
    ) -> QuerySet[Any]:
        # A form takes longer with each field.
        if not wanted:
            return filters.unfiltered(queryset)
        narrow = filters.narrowed(wanted)
        filterset = narrow(request.query_params, queryset=queryset, request=request)
        if not filterset.is_valid():
            raise utils.translate_validation(filterset.errors)
        filtered: QuerySet[Any] = filterset.qs
        return filtered


def _remember(key: Hashable, rows: QuerySet[Any]) -> None:
    # One value can be written in many ways.
    if len(_known) >= MAX_KNOWN:
        _known.clear()
    _known[key] = rows


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


class MomentField(django_filters.fields.IsoDateTimeField):
    """Read an ISO 8601 time, in UTC unless it says otherwise."""

    def clean(self, value: Any) -> Any:
        try:
            with timezone.override(UTC):
                moment = super().clean(value)
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise forms.ValidationError("This time is out of range.") from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField


class WholeNumberFilter(django_filters.Filter):
    """Match an integer column; 1.5 is an error, not 1."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", 1)
        kwargs.setdefault("max_value", MAX_ID)
        super().__init__(*args, **kwargs)
        bounds = {"minimum": kwargs["min_value"], "maximum": kwargs["max_value"]}
        document(self, type="integer", format="int64", **bounds)


class TotalOrderingFilter(django_filters.OrderingFilter):
    """Order by allow-listed fields, then by primary key: pages never overlap."""

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
    _form_class: ClassVar[type[forms.Form] | None] = None
    _narrowed: ClassVar[dict[tuple[type, frozenset[str]], type[ShopFilterSet]]] = {}

    @classmethod
    def unfiltered(cls, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what is listed when nobody asks for anything in particular."""
        return queryset

    @classmethod
    def narrowed(cls, names: frozenset[str]) -> type[ShopFilterSet]:
        """Return a filter set of these few filters alone, made once for each set.

        Every filter may be left out, and one that is left out filters nothing.
        """
        if len(names) > FEW:
            return cls
        key = (cls, names)
        if key not in cls._narrowed:
            narrow: Any = type(cls.__name__, (cls,), {"__module__": cls.__module__})
            narrow.base_filters = {
                name: query_filter
                for name, query_filter in cls.base_filters.items()
                if name in names
            }
            cls._narrowed[key] = narrow
        return cls._narrowed[key]

    def get_form_class(self) -> type[forms.Form]:
        """Make the form once; each use of it copies its fields anyway."""
        if "_form_class" not in type(self).__dict__:
            type(self)._form_class = super().get_form_class()
        form_class = type(self)._form_class
        assert form_class is not None
        return form_class

    def filter_search(
        self, queryset: QuerySet[Any], name: str, value: str
    ) -> QuerySet[Any]:
        return matching(queryset, value, *self.search_columns)

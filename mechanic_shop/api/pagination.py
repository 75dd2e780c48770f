"""Pages with the block that both systems' clients read."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import IntegerField, Model, QuerySet, Subquery
from django.db.models.sql import Query
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mechanic_shop.core import count_cache
from mechanic_shop.core.prepared_queries import PreparedQuery

M = TypeVar("M", bound=Model)

#: More digits than any list has pages, few enough for Python to read.
MAX_OFFSET = 2**61
BOTH = (True, False)
POSITIVE = re.compile(r"0*[1-9][0-9]{0,99}", re.ASCII)


class TotalCount(Subquery):
    """How many rows a query has, as a column of another."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows.order_by().values("pk"))


class PageKeys(Subquery):
    """The keys of the rows of a page, in a form that MySQL takes after ``IN``."""

    template = "(SELECT * FROM (%(subquery)s) page)"

    def __init__(self, page: QuerySet[Any]) -> None:
        super().__init__(page.values("pk"))


class PreparedList(Generic[M]):
    """A list whose pages are read by SQL that is made once; see ``PreparedQuery``."""

    def __init__(self, build: Callable[[], QuerySet[M]]) -> None:
        self.build = build
        self._first = {counts: PreparedQuery(self._page(counts, 0)) for counts in BOTH}
        self._later = {counts: PreparedQuery(self._page(counts)) for counts in BOTH}

    def page(self, start: int, size: int, *, counts: bool) -> list[M]:
        if start:
            return self._later[counts].all(start, size)
        return self._first[counts].all(size)

    def _page(self, counts: bool, *bounds: int) -> Callable[..., QuerySet[M]]:
        return lambda *more: page_of(self.build(), *bounds, *more, counts=counts)


class OneQueryPaginator(Paginator):
    """Read a page and the number of all rows in one query instead of two.

    Of a long list, the number may be one that was counted a little while ago. A list
    that asks for more than rows, say for ``values()``, is left to Django's paginator.
    """

    def page(self, number: int | str) -> Page[Any]:
        rows: Any = self.object_list
        find: Callable[..., Any] = partial(page_of, rows)
        if isinstance(rows, PreparedList):
            find, rows = rows.page, rows.build()
        elif not isinstance(rows, QuerySet) or not asks_for_rows_only(rows.query):
            return super().page(number)
        first = (int(number) - 1) * self.per_page
        total = count_cache.recent(rows)
        counts, size = total is None, self.per_page
        found = [] if first > MAX_OFFSET else list(find(first, size, counts=counts))
        if not found and first:
            raise EmptyPage("That page contains no results")
        if total is None and found:
            total = found[0].total_count
            count_cache.note(rows, total, total=total)
        # What was counted a while ago may be less than what is here.
        self.__dict__["count"] = max(total or 0, first + len(found))
        return Page(found, int(number), self)


def page_of(rows: QuerySet[M], start: int, size: int, *, counts: bool) -> QuerySet[M]:
    """Return a page; with ``total_count``, the number of all rows, if it counts."""
    page = rows[start : start + size]
    is_by_key = bool(start or rows.query.select_related)
    # The keys first, which an index holds in order, and then the rows behind them: to
    # skip a row, a database has to read it, and to join rows it may read all of them
    # and sort them afterwards.
    shown = (
        _without_conditions(rows).filter(pk__in=PageKeys(page)) if is_by_key else rows
    )
    if counts:
        shown = shown.annotate(total_count=TotalCount(rows))
    return shown if is_by_key else shown[:size]


#: What a query of all rows takes over from a list: what is shown, and in which order.
SHOWN = (
    *("select_related", "deferred_loading"),
    *("order_by", "default_ordering", "standard_ordering"),
)
#: What only says which rows are in a list. All other parts of a query change what a
#: row is, or are new in Django and may do so.
CONDITIONS = frozenset(
    {
        *("where", "alias_map", "alias_refcount", "table_map", "used_aliases"),
        *("base_table", "filter_is_sticky", "_lookup_joins"),
    }
)


def asks_for_rows_only(query: Query) -> bool:
    """Return whether a query is no more than some rows of a model in some order."""
    plain = type(query)(query.model)
    return all(
        value == getattr(plain, name, None)
        for name, value in vars(query).items()
        if name not in CONDITIONS and name not in SHOWN
    )


def _without_conditions(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return all rows of the model, shown in the same way and the same order.

    What was found by its key needs no condition, and one would tempt a database to
    read by that condition's index instead. Django has no public way to take conditions
    back, so this makes a query of its own.
    """
    every, query = rows.all(), type(rows.query)(rows.model)
    for name in SHOWN:
        setattr(query, name, getattr(rows.query, name))
    every.query = query
    return every


class ShopPagination(PageNumberPagination):
    """Paginate under the view's ``results_key`` name.

    :raises ValidationError: if ``page`` or ``per_page`` is no positive integer or
        ``per_page`` is over the maximum; nothing is clamped silently
    :raises NotFound: for a page behind the last one
    """

    django_paginator_class = OneQueryPaginator
    page_size = 10
    max_page_size = 100
    page_size_query_param = "per_page"

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        self.results_key = getattr(view, "results_key", "results")
        return super().paginate_queryset(queryset, request, view)

    def get_page_number(self, request: Request, paginator: Any) -> int:
        return self._positive(request, self.page_query_param, 1)

    def get_page_size(self, request: Request) -> int:
        size = self._positive(request, self.page_size_query_param, self.page_size)
        if size > self.max_page_size:
            raise ValidationError(
                {"per_page": [f"At most {self.max_page_size} rows fit on a page."]}
            )
        return size

    @staticmethod
    def _positive(request: Request, name: str, default: int) -> int:
        raw = request.query_params.get(name)
        if raw is None:
            return default
        if not POSITIVE.fullmatch(raw):
            raise ValidationError({name: ["Send a positive whole number."]})
        return int(raw)

    def get_paginated_response(self, data: Any) -> Response:
        assert self.page is not None
        paginator = self.page.paginator
        return Response(
            {
                self.results_key: data,
                "pagination": {
                    "page": self.page.number,
                    "per_page": paginator.per_page,
                    f"total_{self.results_key}": paginator.count,
                    "total_pages": paginator.num_pages,
                    "has_next": self.page.has_next(),
                    "has_prev": self.page.has_previous(),
                },
            }
        )

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        whole = {"type": "integer", "minimum": 1}
        size = {**whole, "maximum": self.max_page_size, "default": self.page_size}
        return [
            self._parameter(
                self.page_query_param,
                "Which page; one behind the last is a 404.",
                {**whole, "default": 1},
            ),
            self._parameter(self.page_size_query_param, "Rows on a page.", size),
        ]

    @staticmethod
    def _parameter(
        name: str, description: str, schema: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "name": name,
            "in": "query",
            "required": False,
            "description": description,
            "schema": schema,
        }

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        collection = getattr(self, "results_key", "results")
        example = {
            "page": 2,
            "per_page": self.page_size,
            f"total_{collection}": 150,
            "total_pages": 15,
            "has_next": True,
            "has_prev": True,
        }
        pagination = {
            name: {
                "type": "boolean" if isinstance(value, bool) else "integer",
                "example": value,
            }
            for name, value in example.items()
        }
        return {
            "type": "object",
            "required": [collection, "pagination"],
            "properties": {
                collection: schema,
                "pagination": {
                    "type": "object",
                    "required": list(pagination),
                    "properties": pagination,
                },
            },
        }

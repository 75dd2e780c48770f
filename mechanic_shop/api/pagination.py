"""Pages with the block that both systems' clients read."""

import re
from typing import Any

from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import IntegerField, QuerySet, Subquery
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mechanic_shop.core import count_cache
from mechanic_shop.queries import page_of

#: More digits than any list has pages, few enough for Python to read.
MAX_OFFSET = 2**62
POSITIVE = re.compile(r"0*[1-9][0-9]{0,99}", re.ASCII)


class RowCount(Subquery):
    """How many rows a query has, as a column of another."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows.order_by().values("pk"))


class KeysOf(Subquery):
    """The keys of the rows of a page, in a form that MySQL takes after ``IN``."""

    template = "(SELECT * FROM (%(subquery)s) page)"

    def __init__(self, page: QuerySet[Any]) -> None:
        super().__init__(page.values("pk"))


class OneQueryPaginator(Paginator):
    """Read a page and the number of all rows in one query instead of two.

    Of a long list, the number may be one that was counted a little while ago.
    """

    def page(self, number: int | str) -> Page[Any]:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        first = (int(number) - 1) * self.per_page
        total = count_cache.recent(rows)
        found = self._found(rows, first, counts=total is None)
        if not found and first:
            raise EmptyPage("That page contains no results")
        if total is None and found:
            total = found[0].rows_in_all
            count_cache.note(rows, total, total=total)
        # What was counted a while ago may be less than what is here.
        self.__dict__["count"] = max(total or 0, first + len(found))
        return Page(found, int(number), self)

    def _found(self, rows: QuerySet[Any], first: int, *, counts: bool) -> list[Any]:
        def counted(shown: QuerySet[Any]) -> QuerySet[Any]:
            return shown.annotate(rows_in_all=RowCount(rows)) if counts else shown

        def build(page: slice) -> QuerySet[Any]:
            if not page.start and not rows.query.select_related:
                return counted(rows)[page]
            # The keys first, which an index holds in order, and then the rows behind
            # them: to skip a row, a database has to read it, and to join rows it may
            # read all of them and sort them afterwards.
            shown = counted(_without_conditions(rows))
            return shown.filter(pk__in=KeysOf(rows[page]))

        if first >= MAX_OFFSET:
            return []
        return page_of(rows, build, start=first, size=self.per_page, kind=counts)


def _without_conditions(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return all rows of the model, with the same joins for show and the same order.

    What was found by its key needs no condition, and one would tempt a database to
    read by that condition's index instead.
    """
    if rows.query.annotations:
        return rows
    every, query = rows.all(), rows.model._default_manager.all().query
    query.select_related = rows.query.select_related
    query.order_by = rows.query.order_by
    query.default_ordering = rows.query.default_ordering
    query.standard_ordering = rows.query.standard_ordering
    query.deferred_loading = rows.query.deferred_loading
    every.query = query
    return every


class ShopPagination(PageNumberPagination):
    """Paginate under the view's ``collection`` name.

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
        self.collection = getattr(view, "collection", "results")
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
                self.collection: data,
                "pagination": {
                    "page": self.page.number,
                    "per_page": paginator.per_page,
                    f"total_{self.collection}": paginator.count,
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
        collection = getattr(self, "collection", "results")
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

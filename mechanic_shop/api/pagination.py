"""Pages with the block that both systems' clients read."""

import re
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

#: More digits than any list has pages, few enough for Python to read.
POSITIVE = re.compile(r"0*[1-9][0-9]{0,99}", re.ASCII)


class ShopPagination(PageNumberPagination):
    """Paginate under the view's ``collection`` name.

    :raises ValidationError: if ``page`` or ``per_page`` is no positive integer or
        ``per_page`` is over the maximum; nothing is clamped silently
    :raises NotFound: for a page behind the last one
    """

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

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        integer, boolean = {"type": "integer"}, {"type": "boolean"}
        collection = getattr(self, "collection", "results")
        pagination = {
            "page": integer,
            "per_page": integer,
            f"total_{collection}": integer,
            "total_pages": integer,
            "has_next": boolean,
            "has_prev": boolean,
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

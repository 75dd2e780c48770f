"""Where people can go from a page: to its actions and to the rows of its list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import APIException
from rest_framework.request import Request

from .labels import acting

if TYPE_CHECKING:
    from rest_framework.views import APIView


def may_use(view: Any, action: str) -> bool:
    """Return whether the caller may use another action of this view."""
    with acting(view, action):
        try:
            view.check_permissions(view.request)
        except APIException:
            return False
    return True


def rows_of(data: Any, view: APIView, request: Request) -> Iterator[tuple[str, str]]:
    """Yield label and address of each row of a list that has pages for its rows."""
    if getattr(view, "suffix", None) != "List" or not hasattr(view, "retrieve"):
        return
    rows = data.get(view.results_key) if isinstance(data, dict) else data  # type: ignore[attr-defined]
    for row in rows if isinstance(rows, list) else ():
        row_id = next(iter(row.values()))
        yield str(row_id), f"{request.path.rstrip('/')}/{row_id}"

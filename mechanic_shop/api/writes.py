"""One write, one transaction: its effect, the answer it shows, the answer it keeps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from rest_framework.request import Request
from rest_framework.response import Response

from mechanic_shop.core.transactions import retry, unit_of_work

from . import idempotency
from .conditional import check_if_match
from .throttling import give_back

if TYPE_CHECKING:
    from .viewsets import ShopViewSet

Handler = Callable[..., Response]

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def carry_out(
    view: ShopViewSet[Any], handler: Handler, request: Request, **kwargs: Any
) -> Response:
    """Run the handler of a write; all of what it does holds, or nothing.

    Handlers can be run again: what they did was undone, and the body is read already.
    """
    key = idempotency.key_of(request)
    row = None if key is None else _row_of_key(view, request, key)
    answer = retry(partial(_in_one_transaction, view, handler, request, row, kwargs))
    if idempotency.is_replayed(answer):
        give_back(request)
    return answer


def _row_of_key(view: ShopViewSet[Any], request: Request, key: str) -> int:
    if view.throttled_by is None:
        return retry(partial(idempotency.prepare, request, key))
    row = idempotency.find(request, key)
    if row is None:  # and none is written: a refused flood must not fill the table
        raise view.throttled_by
    return row


@unit_of_work
def _in_one_transaction(
    view: ShopViewSet[Any],
    handler: Handler,
    request: Request,
    key_row: int | None,
    kwargs: dict[str, Any],
) -> Response:
    work = partial(_if_it_may, view, handler, request, kwargs)
    if key_row is None:
        return work()
    return idempotency.once(key_row, request, work)


def _if_it_may(
    view: ShopViewSet[Any], handler: Handler, request: Request, kwargs: dict[str, Any]
) -> Response:
    if view.throttled_by is not None:
        raise view.throttled_by
    check_if_match(view, request)
    return handler(request, **kwargs)

"""The path of a write: its effect and the response that is kept, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rest_framework.request import Request
from rest_framework.response import Response

from mechanic_shop.core.transactions import run_with_retries, unit_of_work

from .etags import check_if_match
from .idempotency import (
    find_response,
    get_idempotency_key,
    is_replayed,
    lock_key,
    reserve_key,
    store_response,
)
from .throttling import refund_request

if TYPE_CHECKING:
    from .viewsets import ShopViewSet

Handler = TypeVar("Handler", bound=Callable[..., Response])

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def atomic_write(handler: Handler) -> Handler:
    """Decorate the handler of a write: all that it does takes effect, or nothing.

    It may be run again. What it did was undone, and the body is read already. Where it
    calls the handler of a base class, that one joins it.
    """

    @wraps(handler)
    def write(
        view: ShopViewSet[Any], request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        if view.is_writing:
            return handler(view, request, *args, **kwargs)
        view.is_writing = True
        key = _reserve_key(view, request)

        def attempt() -> Response:
            row = lock_key(key)
            if stored := find_response(row, request):
                return stored
            view.raise_deferred_throttle()
            check_if_match(view, request)
            response = handler(view, request, *args, **kwargs)
            store_response(row, request, response)
            return response

        response = _commit(attempt)
        if is_replayed(response):
            refund_request(request)
        return response

    write.is_atomic = True  # type: ignore[attr-defined]
    return cast("Handler", write)


def is_atomic(view: Any) -> bool:
    """Return whether the present action of a view is an ``atomic_write``."""
    return getattr(getattr(view, view.action or "", None), "is_atomic", False)


def _reserve_key(view: ShopViewSet[Any], request: Request) -> int | None:
    """Return the id of the row that duplicate requests queue for, if there is a key."""
    key = get_idempotency_key(request)
    if key is None:
        return None
    return run_with_retries(partial(reserve_key, view, request, key))


def _commit(attempt: Callable[[], Response]) -> Response:
    return run_with_retries(unit_of_work(attempt))

"""Tell the security log of each request, and of every 403 and 429."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from mechanic_shop.core.log_formatters import conceal
from mechanic_shop.core.security_log import describe_request, record

from ..throttling import client_address

LONGEST_PATH = 200
LONGEST_METHOD = 16
#: What a status is called in the log.
EVENTS = {403: "denied", 429: "throttled"}

current_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


class SecurityLogMiddleware:
    """Let events know their request, and see every 403 and 429, from wherever it came.

    It stands outside of all that may refuse a request: forms without their CSRF token
    and pages of the back office are seen here as well as the API.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        described = describe_request.set(partial(_describe, request))
        outer = current_request.set(request)
        try:
            response = self.get_response(request)
            status = response.status_code
            if event := EVENTS.get(status):
                record(event, status=status, user_id=known_user_id(request))
            return response
        finally:
            current_request.reset(outer)
            describe_request.reset(described)


def _describe(request: HttpRequest) -> dict[str, str]:
    return {
        "address": client_address(request),
        "method": (request.method or "")[:LONGEST_METHOD],
        "path": conceal(request.path)[:LONGEST_PATH],
    }


def known_user_id(request: HttpRequest) -> int | None:
    """Name the caller, but ask no database for it: a flood must stay cheap."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject) and not hasattr(request, "_cached_user"):
        return None
    return getattr(user, "pk", None)

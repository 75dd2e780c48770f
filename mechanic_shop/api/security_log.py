"""The security log: who tried to come in, who was turned away, whose rights changed.

Each record is one JSON object of the logger ``security``. Its ``message`` is a stable
word for what happened, and the facts are beside it:

===================== ================================================================
login_ok              ``user_id``; ``session_id`` where tokens were given out
login_failed          ``account``, if what was typed is an email address; ``user_id``
                      where the password was right and the login still not let in
logout                ``user_id``, ``session_id``
denied, throttled     ``status`` (403, 429), ``user_id`` of a caller who is known
refresh_token_reused  ``user_id``, ``session_id`` of the session that ends for it
password_requested    ``account``, ``user_id`` if a login has that address
password_changed      ``user_id``, ``by_id`` of an administrator, ``sessions_ended``
roles_changed         ``user_id`` or ``group_id``, ``by_id``, ``before``, ``after``
===================== ================================================================

``address``, ``method`` and ``path`` say from where and through which door. There is no
query string, no body, and nothing that may be a password.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from mechanic_shop.core.emails import normalize_email
from mechanic_shop.core.log_formatters import conceal

from .throttling import client_address

logger = logging.getLogger("security")

LONGEST_ACCOUNT = 254
LONGEST_PATH = 200
LONGEST_METHOD = 16
#: What the owner may want to be woken up for; the rest is the daily round.
WARNINGS = frozenset({"login_failed", "denied", "throttled", "refresh_token_reused"})
REFUSALS = {403: "denied", 429: "throttled"}

current_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def record(event: str, **facts: Any) -> None:
    """Write an event into the security log; facts that are None are left out."""
    everything = {**facts, **_whence(current_request.get())}
    known = {name: fact for name, fact in everything.items() if fact is not None}
    level = logging.WARNING if event in WARNINGS else logging.INFO
    logger.log(level, event, extra=known)


def account_of(typed: str) -> str | None:
    """Return what was typed as an address, if it is one.

    People type their password into the wrong field, so everything else is not written.
    """
    account = normalize_email(typed)
    try:
        validate_email(account)
    except ValidationError:
        return None
    return account if len(account) <= LONGEST_ACCOUNT and account.isascii() else None


class SecurityLogMiddleware:
    """Let events know their request, and see every 403 and 429, whoever answered it.

    It stands outside of all that may refuse a request: forms without their CSRF token
    and pages of the back office are seen here as well as the API.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        outer = current_request.set(request)
        try:
            response = self.get_response(request)
            status = response.status_code
            if event := REFUSALS.get(status):
                record(event, status=status, user_id=known_user_id(request))
            return response
        finally:
            current_request.reset(outer)


def _whence(request: HttpRequest | None) -> dict[str, str | None]:
    if request is None:
        return {}
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


# The house does without signals, but here Django's own are the one place that every
# door passes, the two login forms of the libraries included: one that is added later
# cannot be forgotten. They only write a line.


@receiver(user_login_failed)
def _on_login_failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    record("login_failed", account=account_of(str(credentials.get("username", ""))))


@receiver(user_logged_in)
def _on_cookie_login(user: Any, **kwargs: Any) -> None:
    record("login_ok", user_id=user.pk)


@receiver(user_logged_out)
def _on_cookie_logout(user: Any, **kwargs: Any) -> None:
    if user is not None:
        record("logout", user_id=user.pk)

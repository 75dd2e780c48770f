"""Throttle every login form and endpoint, by address and by account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_ratelimit.core import is_ratelimited
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from mechanic_shop.core.emails import login_key
from mechanic_shop.core.transactions import run_with_retries

from .error_pages import too_many_requests
from .models import KnownAddress, Rate, RateCounter, ThrottleResult
from .throttling import client_address, hit, hit_at

ACCOUNT = "ACCOUNT"
ACCOUNT_FAILURES = Rate(limit=10, seconds=900)
FORM_GUARD = "30/m"
FORM_GUARD_SECONDS = 60


def record_login_attempt(
    request: Request | HttpRequest, account: str
) -> ThrottleResult | None:
    """Count a try to sign in to an account.

    ``clear_login_attempt`` takes a good one back.

    Unknown addresses share one count for the account. One from which somebody signed in
    before has one of its own: guessing from elsewhere locks out no owner.
    """
    if settings.THROTTLES["LOGIN"] is None:
        return None
    address, account = client_address(request), login_key(account)
    # Hashed: what people type into a login is not always an email address.
    key = _digest(account)
    if KnownAddress.objects.knows(account, address):
        key = f"{key}:{_digest(address)}"
    return hit_at(ACCOUNT_FAILURES, ACCOUNT, key)


def clear_login_attempt(
    request: Request | HttpRequest, account: str, result: ThrottleResult | None = None
) -> None:
    """Take back what a good sign-in counted, and know its address from now on.

    Signing up and following a mailed link are as good, so that a link lets in whoever
    is kept out by the guesses of others.
    """
    if result is not None:
        RateCounter.objects.refund(result)
    KnownAddress.objects.remember(login_key(account), client_address(request))


@contextmanager
def login_attempt(request: Request, email: str) -> Iterator[None]:
    """Count what is done in the block as one try to sign in to an account.

    :raises Throttled: after too many failures on this account, before the block begins
    """
    result = record_login_attempt(request, email)
    if result is not None and not result.allowed:
        raise Throttled(wait=result.reset)
    yield
    clear_login_attempt(request, email, result)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def throttle_login_view(
    view: Callable[..., HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Let an HTML login form spend the same budgets as the API's logins.

    django-ratelimit stands outside of them, in the cache, and lets pass when that is
    away: it spares the database the counting of a flood.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        if _is_flood(request):
            return too_many_requests(request, FORM_GUARD_SECONDS)
        account = request.POST.get("username", "")
        by_address = hit("LOGIN", client_address(request))
        if by_address is not None and not by_address.allowed:
            return too_many_requests(request, by_address.reset)
        by_account = record_login_attempt(request, account)
        if by_account is not None and not by_account.allowed:
            return too_many_requests(request, by_account.reset)
        response = run_with_retries(partial(view, request, *args, **kwargs))
        if user := getattr(request, "user_just_signed_in", None):
            clear_login_attempt(request, user.get_username(), by_account)
        return response

    return guarded


@receiver(user_logged_in)
def _note_sign_in(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Tell ``throttle_login_view`` who gave the right password.

    A redirect does not: views send people on who were signed in before.
    """
    request.user_just_signed_in = user  # type: ignore[attr-defined]


def throttle_password_view(
    view: Callable[..., HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Let an HTML form that asks for the password spend the budget of the API's."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            result = hit("PASSWORD", f"user:{request.user.pk}")
            if result is not None and not result.allowed:
                return too_many_requests(request, result.reset)
        return view(request, *args, **kwargs)

    return guarded


def _is_flood(request: HttpRequest) -> bool:
    return bool(
        is_ratelimited(
            request,
            group="login-form",
            key=_ratelimit_key,
            rate=FORM_GUARD,
            increment=True,
        )
    )


def _ratelimit_key(group: str, request: HttpRequest) -> str:
    return client_address(request)

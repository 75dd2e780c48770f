"""The rate limits: DRF throttles over exact counters in the database."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django_ratelimit.core import is_ratelimited
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from mechanic_shop.accounts.emails import normalize_email

from .models import Rate, RateCounter, Spent

if TYPE_CHECKING:
    from rest_framework.views import APIView

ACCOUNT_FAILURES = Rate(limit=10, seconds=900)
ADMIN_LOGIN_GUARD = "30/m"
ADMIN_LOGIN_GUARD_SECONDS = 60


class RuleThrottle(BaseThrottle):
    """Limit by one rule of ``settings.THROTTLES``; subclasses say whom they count."""

    rule: ClassVar[str]

    def allow_request(self, request: Request, view: APIView) -> bool:
        spent = spend(self.rule, self.whom(request))
        if spent is None:
            return True
        request._request.rate_limit = spent  # type: ignore[attr-defined]
        self.retry_after = spent.reset
        return spent.allowed

    def wait(self) -> float:
        return self.retry_after

    def whom(self, request: Request) -> str:
        raise NotImplementedError


class AddressThrottle(RuleThrottle):
    """Count by client address."""

    def whom(self, request: Request) -> str:
        return client_address(request)


class UserThrottle(RuleThrottle):
    """Count by signed-in user."""

    def whom(self, request: Request) -> str:
        return f"user:{request.user.pk}"


class RegisterThrottle(AddressThrottle):
    rule = "REGISTER"


class LoginThrottle(AddressThrottle):
    rule = "LOGIN"


class PasswordThrottle(UserThrottle):
    rule = "PASSWORD"


class PasswordResetThrottle(AddressThrottle):
    rule = "PASSWORD_RESET"


class CreateCustomerThrottle(UserThrottle):
    rule = "CREATE_CUSTOMER"


class CreateMechanicThrottle(UserThrottle):
    rule = "CREATE_MECHANIC"


class CreateTicketThrottle(UserThrottle):
    rule = "CREATE_TICKET"


class CreatePartThrottle(UserThrottle):
    rule = "CREATE_PART"


def spend(rule: str, whom: str) -> Spent | None:
    """Count a request under a rule; None if the rule is switched off."""
    rate = settings.THROTTLES[rule]
    return None if rate is None else RateCounter.objects.spend(f"{rule}:{whom}", rate)


def spend_login_failure(email: str) -> Spent | None:
    """Count a try to sign in to an account; ``forgive_login`` takes a good one back."""
    if settings.THROTTLES["LOGIN"] is None:
        return None
    return RateCounter.objects.spend(_account_key(email), ACCOUNT_FAILURES)


def forgive_login(email: str) -> None:
    RateCounter.objects.refund(_account_key(email))


def _account_key(email: str) -> str:
    # Hashed: what people type into a login is not always an email address.
    return f"ACCOUNT:{sha256(email.encode()).hexdigest()}"


def client_address(request: Request | HttpRequest) -> str:
    """Return the address a limit counts by.

    Only what ``NUM_PROXIES`` trusted proxies wrote into ``X-Forwarded-For`` is
    believed; by default none is. Of an IPv6 address the first 64 bits count: one
    household owns all the rest.
    """
    ident = str(BaseThrottle().get_ident(request) or "")  # type: ignore[arg-type]
    try:
        address = ip_address(ident)
    except ValueError:
        return ident[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)


def add_rate_headers(request: Request, response: Response) -> None:
    """Tell the caller what is left, on success too."""
    spent: Spent | None = getattr(request._request, "rate_limit", None)
    if spent is not None:
        response["RateLimit-Limit"] = str(spent.limit)
        response["RateLimit-Remaining"] = str(spent.remaining)
        response["RateLimit-Reset"] = str(spent.reset)


def guard_login(
    view: Callable[..., HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Let an HTML login form spend the same budget as the API's logins.

    django-ratelimit stands outside of it, in the cache, and lets pass when that is
    away: it spares the database the counting of a flood.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        if seconds := _must_wait(request):
            return _too_many(request, seconds)
        response = view(request, *args, **kwargs)
        if response.status_code == 302:
            forgive_login(_account(request))
        return response

    return guarded


def _must_wait(request: HttpRequest) -> int:
    """Spend every budget of a login form; return seconds to wait, or 0 to go on."""
    if is_ratelimited(
        request,
        group="login-form",
        key=_ratelimit_key,
        rate=ADMIN_LOGIN_GUARD,
        increment=True,
    ):
        return ADMIN_LOGIN_GUARD_SECONDS
    for spent in (
        spend("LOGIN", client_address(request)),
        spend_login_failure(_account(request)),
    ):
        if spent is not None and not spent.allowed:
            return spent.reset
    return 0


def _account(request: HttpRequest) -> str:
    return normalize_email(request.POST.get("username", ""))


def _ratelimit_key(group: str, request: HttpRequest) -> str:
    return client_address(request)


def _too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    response = render(request, "429.html", {"seconds": seconds}, status=429)
    response["Retry-After"] = str(seconds)
    return response

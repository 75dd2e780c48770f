"""The rate limits: DRF throttles over exact counters in the database."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.dispatch import Signal
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from .models import Rate, RateCounter, Spent

if TYPE_CHECKING:
    from rest_framework.views import APIView

#: Sent with the ``rule`` whose budget a request found used up.
request_throttled = Signal()


class CounterThrottle(BaseThrottle):
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


class AddressThrottle(CounterThrottle):
    """Count by client address."""

    def whom(self, request: Request) -> str:
        return client_address(request)


class UserThrottle(CounterThrottle):
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
    return None if rate is None else hit_at(rate, rule, whom)


def hit_at(rate: Rate | tuple[int, int], rule: str, whom: str) -> Spent:
    """Count a request under a rule that has this rate."""
    spent = RateCounter.objects.spend(f"{rule}:{whom}", rate)
    if not spent.allowed:
        request_throttled.send(sender=None, rule=rule)
    return spent


def refund_request(request: Request) -> None:
    """Take back what a request spent: its answer was a replay, which costs nothing."""
    spent: Spent | None = getattr(request._request, "rate_limit", None)
    if spent is None:
        return
    if spent.allowed:
        RateCounter.objects.refund(spent)
    del request._request.rate_limit  # type: ignore[attr-defined]


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

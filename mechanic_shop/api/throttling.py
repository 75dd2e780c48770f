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

from .models import Rate, RateCounter, ThrottleResult

if TYPE_CHECKING:
    from rest_framework.views import APIView

#: Sent with the ``rule`` whose budget a request found used up.
request_throttled = Signal()


class CounterThrottle(BaseThrottle):
    """Limit by a rule of ``settings.THROTTLES``; a subclass chooses the key."""

    rule: ClassVar[str]

    def allow_request(self, request: Request, view: APIView) -> bool:
        result = hit(self.rule, self.get_throttle_key(request))
        if result is None:
            return True
        request._request.rate_limit = result  # type: ignore[attr-defined]
        self.retry_after = result.reset
        return result.allowed

    def wait(self) -> float:
        return self.retry_after

    def get_throttle_key(self, request: Request) -> str:
        raise NotImplementedError


class AddressThrottle(CounterThrottle):
    """Count by client address."""

    def get_throttle_key(self, request: Request) -> str:
        return client_address(request)


class UserThrottle(CounterThrottle):
    """Count by signed-in user."""

    def get_throttle_key(self, request: Request) -> str:
        return f"user:{request.user.pk}"


def hit(rule: str, key: str) -> ThrottleResult | None:
    """Count a request under a rule; None if the rule is switched off."""
    rate = settings.THROTTLES[rule]
    return None if rate is None else hit_at(rate, rule, key)


def hit_at(rate: Rate | tuple[int, int], rule: str, key: str) -> ThrottleResult:
    """Count a request under a rule that has this rate."""
    result = RateCounter.objects.hit(f"{rule}:{key}", rate)
    if not result.allowed:
        request_throttled.send(sender=None, rule=rule)
    return result


def refund_request(request: Request) -> None:
    """Take back the count of a request whose response was a replay."""
    result: ThrottleResult | None = getattr(request._request, "rate_limit", None)
    if result is None:
        return
    if result.allowed:
        RateCounter.objects.refund(result)
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
    result: ThrottleResult | None = getattr(request._request, "rate_limit", None)
    if result is not None:
        response["RateLimit-Limit"] = str(result.limit)
        response["RateLimit-Remaining"] = str(result.remaining)
        response["RateLimit-Reset"] = str(result.reset)

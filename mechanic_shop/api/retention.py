"""How long retries, counters and known addresses are kept."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import Q, QuerySet

from mechanic_shop.core.models import IdempotencyKey

from .idempotency import RETENTION
from .login_throttling import ACCOUNT, ACCOUNT_FAILURES
from .models import KnownAddress, RateCounter


def old_keys(now: datetime) -> QuerySet[IdempotencyKey]:
    """Return keys of retries that are too late, and those of refused requests."""
    unanswered = Q(answered_at=None, created_at__lte=now - RETENTION)
    return IdempotencyKey.objects.filter(
        unanswered | Q(answered_at__lte=now - RETENTION)
    )


def idle_counters(now: datetime) -> QuerySet[RateCounter]:
    """Return counters of windows that are over, and of limits that are off.

    One window on either side is left alone: other servers' clocks may differ.
    """
    rates = {**settings.THROTTLES, ACCOUNT: ACCOUNT_FAILURES}
    if settings.THROTTLES["LOGIN"] is None:
        rates[ACCOUNT] = None
    idle = Q()
    for name, rate in rates.items():
        counters = Q(key__startswith=f"{name}:")
        if rate is not None:
            present = int(now.timestamp() // rate[1])
            counters &= Q(window__lt=present - 1) | Q(window__gt=present + 1)
        idle |= counters
    return RateCounter.objects.filter(idle)


def forgotten_addresses(now: datetime) -> QuerySet[KnownAddress]:
    """Return addresses from which nobody has signed in for long."""
    return KnownAddress.objects.filter(seen_at__lte=now - KnownAddress.REMEMBERED)

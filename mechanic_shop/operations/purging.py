"""What the shop remembers for a while, and when it may be forgotten.

Each kind of row has a query for those that no longer mean anything. A row that still
counts never matches: a session that opens something, a key whose answer would be
replayed, a counter of a running window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.sessions.models import Session as CookieSession
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from mechanic_shop.accounts.models import Session
from mechanic_shop.api.idempotency import KEPT
from mechanic_shop.api.login_limits import ACCOUNT, ACCOUNT_FAILURES
from mechanic_shop.api.models import KnownAddress, RateCounter
from mechanic_shop.core.models import IdempotencyKey
from mechanic_shop.core.transactions import retried

Rows = QuerySet[Any]

#: More in one transaction would keep others waiting.
BATCH_ROWS = 1_000
#: A token is issued a moment after its session was written down.
LEEWAY = timedelta(minutes=1)


class Kind(NamedTuple):
    """A kind of row, and those of it that mean nothing any more at a time."""

    name: str
    leftovers: Callable[[datetime], Rows]


def ended_sessions(now: datetime) -> Rows:
    """Sign-ins that were revoked, or whose last tokens have expired.

    Reuse of an old refresh token is found out by the session's present one, so there is
    nothing to keep for it beyond the session itself.
    """
    lifetimes = (
        settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"],
        settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"],
    )
    issued_by = now - max(lifetimes) - LEEWAY
    expired = Q(refreshed_at=None, created_at__lt=issued_by)
    expired |= Q(refreshed_at__lt=issued_by)
    return Session.objects.filter(expired | Q(revoked_at__isnull=False))


def expired_cookie_sessions(now: datetime) -> Rows:
    return CookieSession.objects.filter(expire_date__lt=now)


def old_keys(now: datetime) -> Rows:
    """Keys of retries that are too late, and those whose request was refused."""
    unanswered = Q(answered_at=None, created_at__lte=now - KEPT)
    return IdempotencyKey.objects.filter(unanswered | Q(answered_at__lte=now - KEPT))


def idle_counters(now: datetime) -> Rows:
    """Counters of windows that are over, and of rules that are off.

    One window on either side is left alone: other servers' clocks may differ.
    """
    rules = {**settings.THROTTLES, ACCOUNT: ACCOUNT_FAILURES}
    if settings.THROTTLES["LOGIN"] is None:
        rules[ACCOUNT] = None
    idle = Q()
    for rule, rate in rules.items():
        of_rule = Q(key__startswith=f"{rule}:")
        if rate is not None:
            present = int(now.timestamp() // rate[1])
            of_rule &= Q(window__lt=present - 1) | Q(window__gt=present + 1)
        idle |= of_rule
    return RateCounter.objects.filter(idle)


def forgotten_addresses(now: datetime) -> Rows:
    return KnownAddress.objects.filter(seen_at__lte=now - KnownAddress.REMEMBERED)


KINDS = (
    Kind("ended API sessions", ended_sessions),
    Kind("expired back-office sessions", expired_cookie_sessions),
    Kind("old idempotency keys", old_keys),
    Kind("idle rate counters", idle_counters),
    Kind("addresses not seen for long", forgotten_addresses),
)


def count() -> Iterator[tuple[str, int]]:
    """Tell for each kind how many rows ``purge`` would remove."""
    now = timezone.now()
    for kind in KINDS:
        yield kind.name, kind.leftovers(now).count()


def purge() -> Iterator[tuple[str, int]]:
    """Remove what means nothing any more; tell for each kind how many rows went."""
    now = timezone.now()
    for kind in KINDS:
        yield kind.name, _remove(kind.leftovers(now))


def _remove(rows: Rows) -> int:
    removed = 0
    while batch := _remove_batch(rows):
        removed += batch
    return removed


@retried
@transaction.atomic
def _remove_batch(rows: Rows) -> int:
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH_ROWS])
    # Asked again while deleting: a row may have come back to life in between.
    removed, _ = rows.filter(pk__in=keys).delete()
    return removed

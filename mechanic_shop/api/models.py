"""What the API remembers of requests: counters and known addresses."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.db import connection, models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from mechanic_shop.core.models import IdempotencyKey, RowClaim
from mechanic_shop.core.transactions import retry_on_deadlock

__all__ = [
    "IdempotencyKey",
    "KnownAddress",
    "Rate",
    "RateCounter",
    "RowClaim",
    "ThrottleResult",
]


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    limit: int
    seconds: int


@dataclass(frozen=True)
class ThrottleResult:
    """What is left of a budget after a request; ``reset`` in seconds from now."""

    key: str
    window: int
    allowed: bool
    limit: int
    remaining: int
    reset: int


class RateCounterManager(models.Manager["RateCounter"]):
    @retry_on_deadlock
    def hit(self, key: str, rate: Rate | tuple[int, int]) -> ThrottleResult:
        """Count one request under a key and tell whether the rate allows it.

        The windows are fixed. A request over the limit only reads; one that may pass
        counts and learns its number in one atomic statement, so of any number of
        simultaneous requests in any number of processes exactly ``rate.limit`` pass.
        """
        rate = Rate(*rate)
        now = time.time()
        window = int(now // rate.seconds)
        count = self._present(key, window)
        # At the limit this request would be one too many, without being written down.
        count = self._add_one(key, window) if count < rate.limit else count + 1
        return ThrottleResult(
            key=key,
            window=window,
            allowed=count <= rate.limit,
            limit=rate.limit,
            remaining=max(rate.limit - count, 0),
            reset=max(int((window + 1) * rate.seconds - now), 1),
        )

    @retry_on_deadlock
    def refund(self, result: ThrottleResult) -> None:
        """Take back a request that turned out not to count."""
        counted = self.filter(key=result.key, window=result.window, count__gt=0)
        counted.update(count=models.F("count") - 1)

    def _present(self, key: str, window: int) -> int:
        row = self.filter(key=key, window=window).values_list("count", flat=True)
        return row.first() or 0

    def _add_one(self, key: str, window: int) -> int:
        """Upsert the counter, which restarts in a new window; return its value."""
        with connection.cursor() as cursor:
            if connection.vendor == "mysql":
                cursor.execute(MYSQL_UPSERT, {"key": key, "window": window})
                return int(cursor.lastrowid)
            cursor.execute(SQLITE_UPSERT, {"key": key, "window": window})
            return int(cursor.fetchone()[0])


class RateCounter(models.Model):
    """How many requests a key has made in its present window."""

    key = models.CharField(max_length=191, primary_key=True)
    window = models.BigIntegerField()
    count = models.PositiveIntegerField()

    objects = RateCounterManager()

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


class KnownAddressManager(models.Manager["KnownAddress"]):
    def knows(self, account: str, address: str) -> bool:
        seen_since = timezone.now() - KnownAddress.REMEMBERED
        digest = KnownAddress.digest_of(account, address)
        return self.filter(digest=digest, seen_at__gt=seen_since).exists()

    @retry_on_deadlock
    def remember(self, account: str, address: str) -> None:
        """Note that an account was opened from an address."""
        digest, now = KnownAddress.digest_of(account, address), timezone.now()
        if not self.filter(digest=digest).update(seen_at=now):
            self.get_or_create(digest=digest, defaults={"seen_at": now})


class KnownAddress(models.Model):
    """An address from which somebody signed in to an account, as a keyed digest."""

    REMEMBERED = timedelta(days=90)

    digest = models.CharField(max_length=64, primary_key=True)
    seen_at = models.DateTimeField()

    objects = KnownAddressManager()

    class Meta:
        verbose_name_plural = "known addresses"

    def __str__(self) -> str:
        return self.digest

    @staticmethod
    def digest_of(account: str, address: str) -> str:
        value = f"{account}\n{address}"
        return salted_hmac("known address", value, algorithm="sha256").hexdigest()


# MySQL evaluates the assignments from left to right: the count looks at the old window.
# LAST_INSERT_ID(n) hands the new count back to this connection and no other.
MYSQL_UPSERT = """
INSERT INTO api_ratecounter (`key`, `window`, `count`)
VALUES (%(key)s, %(window)s, LAST_INSERT_ID(1))
ON DUPLICATE KEY UPDATE
    `count` = LAST_INSERT_ID(IF(`window` = %(window)s, `count` + 1, 1)),
    `window` = %(window)s
"""

SQLITE_UPSERT = """
INSERT INTO api_ratecounter ("key", "window", "count")
VALUES (%(key)s, %(window)s, 1)
ON CONFLICT ("key") DO UPDATE SET
    "count" = CASE WHEN "window" = %(window)s THEN "count" + 1 ELSE 1 END,
    "window" = %(window)s
RETURNING "count"
"""

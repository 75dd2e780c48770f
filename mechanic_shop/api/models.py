"""Counters of the rate limits: one row for each rule and key."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection, models


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    limit: int
    seconds: int


@dataclass(frozen=True)
class Spent:
    """What is left of a budget after a request; ``reset`` in seconds from now."""

    allowed: bool
    limit: int
    remaining: int
    reset: int


class RateCounterManager(models.Manager["RateCounter"]):
    def spend(self, key: str, rate: Rate | tuple[int, int]) -> Spent:
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
        return Spent(
            allowed=count <= rate.limit,
            limit=rate.limit,
            remaining=max(rate.limit - count, 0),
            reset=max(int((window + 1) * rate.seconds - now), 1),
        )

    def refund(self, key: str) -> None:
        """Take back one request that turned out not to count."""
        self.filter(key=key, count__gt=0).update(count=models.F("count") - 1)

    def _present(self, key: str, window: int) -> int:
        row = self.filter(key=key, window=window).values_list("count", flat=True)
        return row.first() or 0

    def _add_one(self, key: str, window: int) -> int:
        """Upsert the counter, which begins anew in a new window; return its value."""
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

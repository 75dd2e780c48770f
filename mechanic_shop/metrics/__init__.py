"""Figures about the shop at work, for Prometheus; nothing at all while they are off.

Whoever has something to report calls ``metrics.meter`` by what happened, and neither
knows nor imports what counts it. While ``METRICS_TOKEN`` is empty that is a ``Meter``,
which does nothing; the middleware puts another one in its place.
"""

from __future__ import annotations


class Meter:
    """What the shop reports, beside the requests that the middleware sees itself."""

    def throttled(self, rule: str) -> None:
        """Note that a request found the budget of a rule used up."""

    def stock_shortage(self) -> None:
        """Note that somebody wanted more units of a part than there are."""

    def cache_asked(self, result: str) -> None:
        """Note what came of asking the cache: ``hit``, ``miss`` or ``error``."""

    def transaction_retried(self, error: Exception) -> None:
        """Note that a transaction starts over, and what the database said."""


meter: Meter = Meter()

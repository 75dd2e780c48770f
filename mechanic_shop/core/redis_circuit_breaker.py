"""A Redis that is away or hung costs next to nothing.

django-redis turns an error of the connection into a miss, but only after the timeout,
and for every command again. So a failed command keeps the whole process from asking for
a moment: each command fails at once until one is let through and comes back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import TimeoutError as NoAnswer

logger = logging.getLogger(__name__)

COOL_DOWN_SECONDS = 3.0


class Breaker:
    """Remember for all threads whether asking is worth it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._ask_again_at: float | None = None  # None while all is well

    def allow_request(self) -> bool:
        """Return whether to ask now; after a failure one caller in a while may."""
        with self._lock:
            if self._ask_again_at is None:
                return True
            if self._clock() < self._ask_again_at:
                return False
            # Who comes while this caller asks has to wait for the next turn.
            self._cool_down()
            return True

    def note_success(self) -> None:
        with self._lock:
            was_away = self._ask_again_at is not None
            self._ask_again_at = None
        if was_away:
            logger.info("Redis answers again")

    def note_failure(self, error: Exception) -> None:
        with self._lock:
            was_well = self._ask_again_at is None
            self._cool_down()
        if was_well:
            logger.warning("Redis does not answer; going on without it: %s", error)

    def _cool_down(self) -> None:
        self._ask_again_at = self._clock() + COOL_DOWN_SECONDS


class CircuitBreakerRedis(Redis):
    """A client that leaves a failing server alone for a while.

    Every command passes ``execute_command``, and django-redis makes a miss of what it
    raises. Pipelines do not pass it; the shop uses none.
    """

    #: Every thread has a client of its own, and what one learns holds for all.
    breaker = Breaker()

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Ask the server.

        :raises NotConnected: at once while the breaker is open, too.
        """
        if not self.breaker.allow_request():
            raise NotConnected("Redis failed a moment ago and is not asked.")
        try:
            answer = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except (NotConnected, NoAnswer) as error:
            self.breaker.note_failure(error)
            raise
        self.breaker.note_success()
        return answer

"""The statements that a thread has sent to the database for its present request."""

from __future__ import annotations

from collections.abc import Callable
from threading import local
from time import perf_counter
from typing import Any


class Tally(local):
    """How many statements, and how many seconds they took together."""

    queries = 0
    seconds = 0.0

    def begin(self) -> None:
        self.queries = 0
        self.seconds = 0.0

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: Any,
    ) -> Any:
        """Count a statement; Django calls this around each one."""
        began = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.queries += 1
            self.seconds += perf_counter() - began


tally = Tally()

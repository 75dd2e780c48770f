"""The statements that a thread has sent to the database for its present request."""

from __future__ import annotations

from threading import local


class QueryCounter(local):
    """How many statements, and how many seconds they took together."""

    queries = 0
    seconds = 0.0

    def reset(self) -> None:
        self.queries = 0
        self.seconds = 0.0

    def count(self, sql: str, seconds: float) -> None:
        self.queries += 1
        self.seconds += seconds


query_counter = QueryCounter()

"""One hook around every SQL statement, for those who want to know of it.

Metrics count statements and the slow-query log writes some of them down. Both are told
by the same wrapper, which measures a statement once. It is on no connection before
somebody asks for it, so that it costs nothing while both are off.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

#: Is told the statement, without its values, and how many seconds it took.
QueryObserver = Callable[[str, float], None]


class QueryHook:
    """An execute wrapper that tells its observers of each statement, failed or not."""

    def __init__(self, *observers: QueryObserver) -> None:
        self.observers = list(observers)

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: Any,
    ) -> Any:
        began = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            seconds = perf_counter() - began
            for observer in self.observers:
                observer(sql, seconds)

    def install(self, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        # The signal comes with each reconnect, and a connection keeps its wrappers.
        if self not in connection.execute_wrappers:
            connection.execute_wrappers.append(self)


_hook = QueryHook()


def observe_queries(observer: QueryObserver) -> None:
    """Tell an observer of every statement on every connection, from now on."""
    _hook.observers.append(observer)
    connection_created.connect(_hook.install)
    for connection in connections.all(initialized_only=True):
        _hook.install(connection)

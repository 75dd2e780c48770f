"""End a statement that takes too long, whatever made it so.

What a request may ask for is bounded where it is read. This is the second line: the
database would go on for minutes, also for a client that has gone away.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

#: Less than ``read_timeout`` in ``wsgi.py``, which leaves the database at work.
SECONDS = 4.5
#: The end of an ``init_command``. MariaDB limits every statement, MySQL only those that
#: read; each of them takes the other's part for a comment.
MYSQL_LIMIT = (
    f" /*M! , max_statement_time={SECONDS} */"
    f" /*!50708 , max_execution_time={SECONDS * 1000:.0f} */"
)
MYSQL_TIMEOUTS = frozenset({1969, 3024})
SQLITE_TIMEOUT = "interrupted"
#: After so many steps SQLite looks at the clock: every few milliseconds.
SQLITE_STEPS = 100_000


class SQLiteLimit:
    """An execute wrapper that gives each statement of a connection its own limit."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ends_at = 0.0

    def __call__(self, execute: Callable[..., Any], *args: Any) -> Any:
        self.ends_at = monotonic() + self.seconds
        return execute(*args)

    def is_over(self) -> bool:
        return monotonic() > self.ends_at


def limit_statements(database: dict[str, Any]) -> None:
    """Limit every statement on the connections that this process will make."""
    if database["ENGINE"].endswith("mysql"):
        database["OPTIONS"]["init_command"] += MYSQL_LIMIT
    else:
        connection_created.connect(limit_sqlite)


def limit_sqlite(
    *, connection: BaseDatabaseWrapper, seconds: float = SECONDS, **kwargs: Any
) -> None:
    limit = SQLiteLimit(seconds)
    # The signal comes with each reconnect, and a connection keeps its wrappers.
    wrappers: list[Any] = connection.execute_wrappers
    wrappers[:] = [old for old in wrappers if not isinstance(old, SQLiteLimit)]
    wrappers.append(limit)
    connection.connection.set_progress_handler(limit.is_over, SQLITE_STEPS)


def is_statement_timeout(error: BaseException) -> bool:
    if not isinstance(error, OperationalError) or not error.args:
        return False
    return error.args[0] in MYSQL_TIMEOUTS or error.args[0] == SQLITE_TIMEOUT

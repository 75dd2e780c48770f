"""The few statements that the benchmark itself sends to MariaDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from .environment import MYSQL

Row = tuple[Any, ...]


class Database:
    """One connection; every statement commits itself."""

    def __init__(self, name: str = "") -> None:
        # Here, since the tests of this package run where the driver is not installed.
        import MySQLdb

        url = urlsplit(MYSQL)
        self.name = name
        self._connection = MySQLdb.connect(
            host=url.hostname or "127.0.0.1",
            port=url.port or 3306,
            user=url.username or "root",
            password=unquote(url.password or ""),
            database=name,
            charset="utf8mb4",
            autocommit=True,
        )

    def run(self, statement: str, values: Sequence[Any] | None = None) -> list[Row]:
        cursor = self._connection.cursor()
        cursor.execute(statement, values)
        return list(cursor.fetchall())

    def insert(self, statement: str, rows: Sequence[Row]) -> None:
        self._connection.cursor().executemany(statement, rows)

    def value(self, statement: str) -> Any:
        return self.run(statement)[0][0]

    def statements(self) -> int:
        """Count what all clients have sent so far, this question included."""
        return int(self.run("SHOW GLOBAL STATUS LIKE 'Questions'")[0][1])

    def close(self) -> None:
        self._connection.close()


@contextmanager
def connected(name: str = "") -> Iterator[Database]:
    database = Database(name)
    try:
        yield database
    finally:
        database.close()

"""SQLite: its own online backup copies a moment while others go on writing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from .archive import BackupError, Table, Tables
from .databases import Store

PATIENCE_SECONDS = 20
TABLES = """
    SELECT name FROM sqlite_master
    WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    ORDER BY name
"""


class SQLite(Store):
    """A file."""

    kind = "sqlite"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.file = Path(name).resolve()
        self._is_new = False

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    def collation(self) -> str:
        return ""

    def save(self, data: Path) -> None:
        if not self.file.is_file():
            raise BackupError(f"There is no database {self.file}.")
        _copy(self.file, data)
        with closing(_open(data)) as connection:
            # Without a log beside it that would have to be saved as well.
            connection.execute("PRAGMA journal_mode=DELETE")

    def tables_in(self, data: Path) -> Tables:
        with closing(_open(data)) as connection:
            # As they are stored: what a text means is nobody's business here.
            connection.text_factory = bytes
            names = [name.decode() for (name,) in connection.execute(TABLES)]
            return {name: _digest(connection, name) for name in names}

    def is_empty(self) -> bool:
        if not self.file.is_file():
            return True
        try:
            with closing(_open(self.file)) as connection:
                return not connection.execute(TABLES).fetchall()
        except sqlite3.DatabaseError:
            return False  # somebody's file, but no database

    def clear(self) -> None:
        """Nothing: loading replaces all that is there, in one transaction."""

    def load(self, data: Path, *, collation: str) -> None:
        self._is_new = self.is_empty()
        # Customers' data is nothing for other users of this machine.
        self.file.touch(mode=0o600)
        _copy(data, self.file)

    def undo(self) -> None:
        if not self._is_new:
            return
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=PATIENCE_SECONDS)


def _copy(source: Path, target: Path) -> None:
    try:
        with closing(_open(source)) as reading, closing(_open(target)) as writing:
            # All pages in one step: in several, a writer makes it begin anew each time.
            reading.backup(writing, progress=_impatient())
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied to {target}: {error}") from error


def _impatient() -> Callable[[int, int, int], None]:
    """Give up on a database that stays locked; Python by itself would wait for ever."""
    deadline = time.monotonic() + PATIENCE_SECONDS

    def look(status: int, remaining: int, total: int) -> None:
        locked = status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
        if locked and time.monotonic() > deadline:
            raise BackupError("The database stays locked.")

    return look


def _digest(connection: sqlite3.Connection, table: str) -> Table:
    digest, rows = sha256(), 0
    quoted = table.replace('"', '""')
    for row in connection.execute(f'SELECT * FROM "{quoted}" ORDER BY rowid'):  # noqa: S608
        digest.update(repr(row).encode())
        rows += 1
    return Table(rows, digest.hexdigest())

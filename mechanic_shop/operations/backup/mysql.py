"""MySQL and MariaDB: by their own dump and client programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.db import connection

from .archive import BackupError, Table, Tables
from .databases import Store

#: So that nothing has to be quoted, wherever the name goes.
NAME = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
TABLE = re.compile(rb"CREATE TABLE `([^`]+)` \(")
#: Where columns are generated, those that are not may be named before the values.
ROW = re.compile(rb"INSERT INTO `([^`]+)` ")

#: One moment of all tables, without keeping anybody from writing. Each row is a line of
#: its own, in the order of keys and without dates, so that the same rows make the same
#: lines: that is what is compared after a restore.
DUMP_OPTIONS = (
    *("--single-transaction", "--quick", "--no-autocommit", "--no-tablespaces"),
    *("--order-by-primary", "--skip-extended-insert", "--skip-comments"),
    *("--hex-blob", "--routines", "--triggers", "--skip-add-locks"),
    "--default-character-set=utf8mb4",
)
#: Of MySQL's program only: no server-wide ids of transactions, no query on statistics.
MYSQLDUMP_OPTIONS = ("--set-gtid-purged=OFF", "--column-statistics=0")

NOT_TRANSACTIONAL = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = %s AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'
"""
TABLES = """
    SELECT table_name FROM information_schema.tables WHERE table_schema = %s
"""
COLLATION = """
    SELECT default_collation_name FROM information_schema.schemata
    WHERE schema_name = %s
"""


class MySQL(Store):
    """A database of the server that ``DATABASE_URL`` names."""

    kind = "mysql"

    def __init__(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise BackupError(f"{name!r} is no name of letters, digits and _.")
        super().__init__(name)
        self._is_new = False

    @property
    def url(self) -> str:
        own = urlsplit(os.environ["DATABASE_URL"])
        return own._replace(path=f"/{self.name}").geturl()

    def collation(self) -> str:
        found = _run(COLLATION, self.name)
        if not found:
            raise BackupError(f"There is no database {self.name}.")
        return str(found[0][0])

    def save(self, data: Path) -> None:
        if outside := _run(NOT_TRANSACTIONAL, self.name):
            names = ", ".join(str(name) for (name,) in outside)
            raise BackupError(f"Not InnoDB, so not to be saved as one moment: {names}.")
        program = _program("mariadb-dump", "mysqldump")
        options: tuple[str, ...] = DUMP_OPTIONS
        if not _is_mariadbs(program):
            options += MYSQLDUMP_OPTIONS
        with data.open("wb") as dump:
            _call(program, self.name, *options, stdout=dump)

    def tables_in(self, data: Path) -> Tables:
        digests: dict[bytes, Any] = {}
        rows: dict[bytes, int] = {}
        with data.open("rb") as lines:
            for line in lines:
                if row := ROW.match(line):
                    digests[row[1]].update(line)
                    rows[row[1]] += 1
                elif table := TABLE.match(line):
                    digests[table[1]], rows[table[1]] = sha256(), 0
        return {
            name.decode(): Table(rows[name], digest.hexdigest())
            for name, digest in sorted(digests.items())
        }

    def is_empty(self) -> bool:
        return not _run(TABLES, self.name)

    def clear(self) -> None:
        tables = [f"DROP TABLE `{name}`" for (name,) in _run(TABLES, self.name)]
        _run_all(f"USE `{self.name}`", "SET foreign_key_checks = 0", *tables)

    def load(self, data: Path, *, collation: str) -> None:
        self._is_new = not _run(COLLATION, self.name)
        if self._is_new:
            if not NAME.fullmatch(collation):
                raise BackupError(f"{collation!r} is no collation.")
            _run(f"CREATE DATABASE `{self.name}` COLLATE {collation}")
        with data.open("rb") as dump:
            program = _program("mariadb", "mysql")
            _call(program, self.name, "--default-character-set=utf8mb4", stdin=dump)

    def undo(self) -> None:
        if self._is_new:
            _run(f"DROP DATABASE `{self.name}`")
        elif not self.is_empty():
            self.clear()


# --- The programs ---------------------------------------------------------------------


def _program(*names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    raise BackupError(
        f"{names[0]} is missing (Debian: apt install default-mysql-client)."
    )


def _is_mariadbs(program: str) -> bool:
    answer = subprocess.run([program, "--version"], capture_output=True, check=False)  # noqa: S603
    return b"MariaDB" in answer.stdout


def _call(program: str, name: str, *options: str, **streams: Any) -> None:
    """Run a program on a database, connected as the shop is.

    The password goes by the environment, as in ``dbshell``: a command line can be read
    by all users of the machine. The user's own option files would have the last word on
    it, so none is read.

    :raises BackupError: with what it said, if it fails
    """
    parameters = {**connection.settings_dict, "NAME": name}
    (_, *arguments), secret = connection.client.settings_to_cmd_args_env(
        parameters, options
    )
    command = [program, "--no-defaults", *arguments]
    environment = {**os.environ, **(secret or {})}
    done = subprocess.run(  # noqa: S603
        command, env=environment, stderr=subprocess.PIPE, check=False, **streams
    )
    if done.returncode:
        # Above its last line the client shows the statement, with somebody's data.
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise BackupError(f"{Path(program).name} failed: {said}")


# --- Statements -----------------------------------------------------------------------


def _run(statement: str, *values: str) -> list[tuple[Any, ...]]:
    with _cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())


def _run_all(*statements: str) -> None:
    with _cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def _cursor() -> Iterator[Any]:
    """Talk to the server, whatever databases it has.

    :raises BackupError: with what the server says, if it refuses a statement
    """
    import MySQLdb

    params = connection.get_connection_params()
    try:
        with (
            closing(MySQLdb.connect(**{**params, "database": ""})) as server,
            closing(server.cursor()) as cursor,
        ):
            yield cursor
    except MySQLdb.Error as error:
        raise BackupError(f"The database server refuses: {error}") from error

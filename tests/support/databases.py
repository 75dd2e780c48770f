"""Databases for servers: migrated once in a run of the tests, and copied ever after.

The first that a process asks for is migrated, and kept as the template of all others of
its kind, those of other processes too. What reads and writes templates is independent
of Django, whose connections belong to the suite itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

#: A template of an earlier run may lack a migration of today.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex
#: Tables come in the order of their names, whatever they refer to.
IN_ANY_ORDER = "SET foreign_key_checks = 0"


def url_for(folder: Path) -> str:
    """Name a database of the kind that the suite runs on."""
    configured = os.environ.get("DATABASE_URL", "")
    if configured.startswith("mysql"):
        return configured
    return f"sqlite:///{folder / 'server.sqlite3'}"


@contextmanager
def new_database(configured: str) -> Iterator[str]:
    """Yield the URL of an empty database: the given one, or one of that MySQL."""
    if not configured.startswith("mysql"):
        yield configured
        return
    name = f"test_server_{uuid4().hex[:12]}"
    url = urlsplit(configured)._replace(path=f"/{name}").geturl()
    _run(configured, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        yield url
    finally:
        _run(configured, f"DROP DATABASE {name}")


def fill(url: str, *, like: str, folder: Path, by: Callable[[], None]) -> None:
    """Copy the template of a name into an empty database.

    Where there is none yet, fill the database ``by`` that, and make it the template.
    """
    kind = "mysql" if url.startswith("mysql") else "sqlite"
    template = _shared_by_processes(folder) / f"{like}-{RUN}.{kind}"
    save, load = (_dump, _load) if kind == "mysql" else (_copy_from, _copy_to)
    with _locked(template.with_suffix(f".{kind}.lock")):
        if not template.exists():
            by()
            draft = template.with_suffix(f".{kind}.draft")
            save(url, draft)
            draft.rename(template)
            return
    load(url, template)


def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Read all rows of all tables, in one order whatever database it is."""
    if url.startswith("mysql"):
        with closing(_connect(url)) as connection:
            connection.select_db(_name_in(url))
            names = [name for (name,) in _rows(connection, "SHOW TABLES")]
            return {name: _sorted_rows(connection, name) for name in names}
    with closing(sqlite3.connect(_path_of(url))) as connection:
        listing = "SELECT name FROM sqlite_master WHERE type = 'table'"
        names = [name for (name,) in _rows(connection, listing)]
        return {name: _sorted_rows(connection, name) for name in names}


def exists(url: str) -> bool:
    if not url.startswith("mysql"):
        return _path_of(url).exists()
    with closing(_connect(url)) as connection:
        return bool(_rows(connection, f"SHOW DATABASES LIKE '{_name_in(url)}'"))


def drop(url: str) -> None:
    """Remove a database, if it is there."""
    if url.startswith("mysql"):
        _run(url, f"DROP DATABASE IF EXISTS {_name_in(url)}")
    else:
        _path_of(url).unlink(missing_ok=True)


def change(url: str, statement: str) -> None:
    """Run a statement that the shop itself would not."""
    if url.startswith("mysql"):
        _run(url, f"USE {_name_in(url)}", statement)
        return
    with closing(sqlite3.connect(_path_of(url))) as connection:
        connection.execute(statement)
        connection.commit()


def _sorted_rows(connection: Any, table: str) -> list[tuple[Any, ...]]:
    return sorted(_rows(connection, f"SELECT * FROM `{table}`"), key=repr)  # noqa: S608


def _shared_by_processes(folder: Path) -> Path:
    """Return where pytest keeps the folders of all processes of this run."""
    own = folder.parent
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


# --- SQLite ---------------------------------------------------------------------------


def _copy_from(url: str, template: Path) -> None:
    _copy(_path_of(url), template)


def _copy_to(url: str, template: Path) -> None:
    _copy(template, _path_of(url))


def _path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _copy(source: Path, target: Path) -> None:
    """Copy what is in the write-ahead log too, and that there shall be one."""
    with (
        closing(sqlite3.connect(source)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)


# --- MySQL ----------------------------------------------------------------------------


def _dump(url: str, template: Path) -> None:
    """Write down the statements that build a database like this one."""
    with closing(_connect(url)) as connection:
        connection.select_db(_name_in(url))
        tables = [name for (name,) in _rows(connection, "SHOW TABLES")]
        statements = [each for table in tables for each in _build(connection, table)]
    template.write_text(json.dumps(statements))


def _build(connection: Any, table: str) -> Iterator[str]:
    ((_, create),) = _rows(connection, f"SHOW CREATE TABLE `{table}`")
    yield create
    described = _rows(connection, f"SHOW COLUMNS FROM `{table}`")
    # A generated column, which takes no value, says so in the last place.
    names = ", ".join(f"`{each[0]}`" for each in described if "GENER" not in each[-1])
    rows = _rows(connection, f"SELECT {names} FROM `{table}`")  # noqa: S608
    if rows:
        values = b", ".join(connection.literal(row) for row in rows).decode()
        yield f"INSERT INTO `{table}` ({names}) VALUES {values}"  # noqa: S608


def _load(url: str, template: Path) -> None:
    statements = json.loads(template.read_text())
    _run(url, f"USE {_name_in(url)}", IN_ANY_ORDER, *statements)


def _name_in(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _rows(connection: Any, query: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    cursor.execute(query)
    return list(cursor.fetchall())


def _run(url: str, *statements: str) -> None:
    with closing(_connect(url)) as connection:
        for statement in statements:
            connection.cursor().execute(statement)
        connection.commit()


def _connect(database_url: str) -> Any:
    import MySQLdb

    url = urlsplit(database_url)
    return MySQLdb.connect(
        host=url.hostname or "127.0.0.1",
        port=url.port or 3306,
        user=url.username or "root",
        password=url.password or "",
        charset="utf8mb4",
        connect_timeout=5,
    )

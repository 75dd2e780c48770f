"""Servers of a run share one migration; each has a database of its own all the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from .support import databases
from .support.manage_process import CommandFailed, ManageProcess

#: The table that comes first by its name needs the other one.
BUILD = (
    "CREATE TABLE shelf (id INTEGER PRIMARY KEY, label VARCHAR(40), made_at DATETIME)",
    "CREATE TABLE box (shelf INTEGER, FOREIGN KEY (shelf) REFERENCES shelf (id))",
    "INSERT INTO shelf VALUES (7, 'O''Neil, 50 % \"é\"', '2025-03-01 10:00:00')",
    "INSERT INTO box VALUES (7)",
)
ROWS = "SELECT id, label, shelf FROM shelf JOIN box ON shelf = id"
EXPECTED = (7, 'O\'Neil, 50 % "é"', 7)


@contextmanager
def connected(url: str) -> Iterator[Any]:
    if not url.startswith("mysql"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            yield connection.cursor()
            connection.commit()
        return
    with closing(databases._connect(url)) as connection:
        connection.select_db(databases._name_in(url))
        yield connection.cursor()
        connection.commit()


def filled(folder: Path, *statements: str) -> list[tuple[Any, ...]]:
    """Fill a new database, by these statements if it is the first; read its rows."""

    def build() -> None:
        with connected(url) as cursor:
            for statement in statements:
                cursor.execute(statement)

    folder.mkdir()
    with databases.new_database(databases.url_for(folder)) as url:
        databases.fill(url, like=folder.parent.name, folder=folder, by=build)
        with connected(url) as cursor:
            cursor.execute(ROWS)
            return list(cursor.fetchall())


class TestSecondDatabase:
    def test_is_a_copy_of_the_first(self, tmp_path: Path) -> None:
        first = filled(tmp_path / "first", *BUILD)

        second = filled(tmp_path / "second", "this would be an error")

        assert first == second == [EXPECTED]


class TestClerk:
    def test_runs_one_command_after_the_other(self, tmp_path: Path) -> None:
        environment = {"DJANGO_SETTINGS_MODULE": "mechanic_shop.settings.local"}

        with closing(ManageProcess(environment, tmp_path / "log")) as manage:
            said = [manage.run("shell", "-v", "0", "-c", f"print({i})") for i in (1, 2)]
            with pytest.raises(CommandFailed, match="ZeroDivisionError"):
                manage.run("shell", "-v", "0", "-c", "1 / 0")
            with pytest.raises(CommandFailed, match="--settings"):
                manage.run("migrate", "nowhere", "--settings")

        assert said == ["1\n", "2\n"]

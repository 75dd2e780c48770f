"""``backup`` and ``restore`` say what they did; whole shops are in ``tests/``."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from mechanic_shop.operations.backup import BackupError, restore, save, store_named
from mechanic_shop.operations.backup.databases import Store
from mechanic_shop.operations.backup.mysql import MySQL
from mechanic_shop.operations.backup.sqlite import SQLite

COMMANDS = "mechanic_shop.operations.management.commands"


@pytest.fixture
def shop_file(tmp_path: Path) -> Path:
    file = tmp_path / "shop.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE part (name TEXT)")
        database.execute("INSERT INTO part VALUES ('Filter'), ('Pad')")
        database.commit()
    return file


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch, shop_file: Path) -> None:
    """Let the commands work on files, whatever the suite runs on."""

    def named(name: str | None = None) -> Store:
        return SQLite(name or str(shop_file))

    monkeypatch.setattr(f"{COMMANDS}.backup.store_named", named)
    monkeypatch.setattr(f"{COMMANDS}.restore.store_named", named)


def run(*command: str) -> str:
    output = StringIO()
    call_command(*command, stdout=output)
    return output.getvalue()


class TestBackup:
    def test_says_what_it_saved(self, tmp_path: Path) -> None:
        file = tmp_path / "one.tar.gz"

        said = run("backup", str(file))

        size = file.stat().st_size
        assert said == f"Saved 1 tables with 2 rows to {file} ({size} bytes).\n"

    def test_makes_the_folder_that_it_is_given(self, tmp_path: Path) -> None:
        run("backup", str(tmp_path / "kept" / "here"))

        [file] = (tmp_path / "kept" / "here").iterdir()
        assert file.name.endswith("Z.tar.gz")

    def test_says_why_it_cannot(self, tmp_path: Path, shop_file: Path) -> None:
        shop_file.unlink()

        with pytest.raises(CommandError, match="There is no database"):
            run("backup", str(tmp_path / "one.tar.gz"))

        assert list(tmp_path.iterdir()) == []


class TestRestore:
    def test_says_what_it_restored(self, tmp_path: Path) -> None:
        file, new = tmp_path / "one.tar.gz", tmp_path / "new.sqlite3"
        run("backup", str(file))

        said = run("restore", str(file), "--database", str(new))

        assert said.startswith("Restored 1 tables with 2 rows of 20")
        assert f" to {new}; all checksums are the same." in said
        assert "run migrate on it" in said  # this is no shop of today

    def test_says_why_it_cannot(self, tmp_path: Path, shop_file: Path) -> None:
        file = tmp_path / "one.tar.gz"
        run("backup", str(file))

        with pytest.raises(CommandError, match="is not empty"):
            run("restore", str(file), "--database", str(shop_file))

    def test_refuses_what_is_damaged_or_missing(self, tmp_path: Path) -> None:
        file, new = tmp_path / "one.tar.gz", tmp_path / "new.sqlite3"
        run("backup", str(file))
        file.write_bytes(file.read_bytes()[:-1])

        with pytest.raises(CommandError, match="no whole backup"):
            run("restore", str(file), "--database", str(new))
        with pytest.raises(CommandError, match="There is no file"):
            run("restore", f"{file}.gone", "--database", str(new))
        with pytest.raises(CommandError, match="exists already"):
            run("backup", str(file))
        assert not new.exists()

    @pytest.mark.parametrize(
        ("code", "printed"), [(0, "All invariants hold"), (1, "Part 7 has -1 in stock")]
    )
    def test_passes_on_what_the_check_of_the_books_says(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, printed: str
    ) -> None:
        def manage(url: str, command: str, *options: str) -> Any:
            assert url == f"sqlite:///{new}"
            ended = 0 if command == "migrate" else code
            return subprocess.CompletedProcess([command], ended, f"{printed}\n", "")

        file, new = tmp_path / "one.tar.gz", tmp_path / "new.sqlite3"
        run("backup", str(file))
        monkeypatch.setattr(f"{COMMANDS}.restore._manage", manage)

        if code:
            with pytest.raises(CommandError, match=printed):
                run("restore", str(file), "--database", str(new))
        else:
            said = run("restore", str(file), "--database", str(new))
            assert printed in said
        assert new.exists()

    def test_leaves_nothing_where_rows_went_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file, new = tmp_path / "one.tar.gz", tmp_path / "new.sqlite3"
        run("backup", str(file))
        load = SQLite.load

        def forgetful(store: SQLite, data: Path, *, collation: str) -> None:
            load(store, data, collation=collation)
            with closing(sqlite3.connect(store.file)) as database:
                database.execute("DELETE FROM part WHERE name = 'Pad'")
                database.commit()

        monkeypatch.setattr(SQLite, "load", forgetful)

        with pytest.raises(CommandError, match="Not restored as they were: part"):
            run("restore", str(file), "--database", str(new))
        assert not new.exists()

    def test_replaces_what_is_there_when_told_to(
        self, tmp_path: Path, shop_file: Path
    ) -> None:
        archive = tmp_path / "one.tar.gz"
        save(SQLite(str(shop_file)), archive)
        with closing(sqlite3.connect(shop_file)) as database:
            database.execute("DROP TABLE part")
            database.execute("CREATE TABLE other (name TEXT)")

        restore(SQLite(str(shop_file)), archive, replace=True)

        tables = SQLite(str(shop_file)).tables_in(shop_file)
        assert {name: table.rows for name, table in tables.items()} == {"part": 2}


@pytest.mark.skipif(connection.vendor != "mysql", reason="is about MySQL and MariaDB")
@pytest.mark.django_db
class TestMySQL:
    @pytest.fixture
    def copy(self) -> Iterator[MySQL]:
        copy = MySQL(f"{connection.settings_dict['NAME']}_copy")
        yield copy
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {copy.name}")

    def test_comes_back_under_a_new_name(self, tmp_path: Path, copy: MySQL) -> None:
        own, archive = store_named(), tmp_path / "own.tar.gz"
        manifest = save(own, archive)

        restore(copy, archive)

        again = save(copy, tmp_path / "copy.tar.gz")
        assert again.tables == manifest.tables
        assert again.tables["django_migrations"].rows > 20
        assert again.collation == manifest.collation
        assert copy.url.endswith(f"/{copy.name}")

    def test_is_removed_where_it_cannot_be_filled(
        self, tmp_path: Path, copy: MySQL
    ) -> None:
        broken = tmp_path / "broken"
        broken.write_text("CREATE TABLE `part` (`id` int);\nNO 'private' SQL;\n")

        with pytest.raises(BackupError, match="failed: ERROR 1064") as failure:
            copy.load(broken, collation="utf8mb4_general_ci")
        assert "---" not in str(failure.value)
        assert not copy.is_empty()
        copy.undo()

        with pytest.raises(BackupError, match="There is no database"):
            copy.collation()

    def test_is_emptied_where_it_was_there_before(
        self, tmp_path: Path, copy: MySQL
    ) -> None:
        data = tmp_path / "data"
        data.write_text("CREATE TABLE `part` (`id` int);\n")
        copy.load(data, collation="utf8mb4_general_ci")
        again = MySQL(copy.name)

        again.clear()
        again.load(data, collation="utf8mb4_general_ci")
        again.undo()

        assert again.is_empty()
        assert again.collation() == "utf8mb4_general_ci"

    def test_is_refused_with_tables_that_are_not_of_one_moment(
        self, tmp_path: Path, copy: MySQL
    ) -> None:
        data = tmp_path / "data"
        data.write_text("CREATE TABLE `old` (`id` int) ENGINE=MyISAM;\n")
        copy.load(data, collation="utf8mb4_general_ci")

        with pytest.raises(BackupError, match=r"one moment: old\."):
            copy.save(tmp_path / "dump")

    def test_says_what_the_server_does_not_like(
        self, tmp_path: Path, copy: MySQL
    ) -> None:
        with pytest.raises(BackupError, match="The database server refuses"):
            copy.load(tmp_path / "data", collation="klingon_ci")

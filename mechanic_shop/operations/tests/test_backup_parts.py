"""What a backup does beside copying rows: passwords stay hidden, kinds apart."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.backends.mysql.client import DatabaseClient

from mechanic_shop.operations.backup import BackupError, mysql, restore, sqlite
from mechanic_shop.operations.backup.archive import Manifest, digest_of, pack
from mechanic_shop.operations.backup.mysql import MySQL
from mechanic_shop.operations.backup.sqlite import SQLite

DUMP = b"""
CREATE TABLE `a_part` (
  `id` bigint(20) NOT NULL
);
INSERT INTO `a_part` VALUES (1,'INSERT INTO `b` VALUES (1)\\nCREATE TABLE `c` (');
INSERT INTO `a_part` (`id`, `name`) VALUES (2,'x');
CREATE TABLE `empty` (
  `id` bigint(20) NOT NULL
);
"""
SETTINGS = {
    "HOST": "127.0.0.1",
    "PORT": 3307,
    "USER": "shop",
    "PASSWORD": 'p"w\\d',
    "NAME": "shop",
    "OPTIONS": {"ssl": {"ca": "/etc/ca.pem"}},
}


class TestMySQL:
    def test_hands_the_password_over_where_no_other_user_sees_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: dict[str, Any] = {}

        def run(command: list[str], **options: Any) -> Any:
            seen.update(command=command, environment=options["env"])
            return subprocess.CompletedProcess(command, 0, b"", b"")

        connection = SimpleNamespace(settings_dict=SETTINGS, client=DatabaseClient)
        monkeypatch.setattr(mysql, "connection", connection)
        monkeypatch.setattr(subprocess, "run", run)

        mysql._call("/usr/bin/dump", "copy", "--quick")

        assert seen["command"] == [
            "/usr/bin/dump",
            "--no-defaults",
            "--user=shop",
            "--host=127.0.0.1",
            "--port=3307",
            "--ssl-ca=/etc/ca.pem",
            "copy",
            "--quick",
        ]
        assert seen["environment"]["MYSQL_PWD"] == SETTINGS["PASSWORD"]
        assert "MYSQL_PWD" not in os.environ

    def test_counts_rows_by_lines(self, tmp_path: Path) -> None:
        file = tmp_path / "dump"
        file.write_bytes(DUMP)
        whole = MySQL("shop").tables_in(file)
        file.write_bytes(DUMP.replace(b"'x'", b"'y'"))
        other = MySQL("shop").tables_in(file)

        assert {name: table.rows for name, table in whole.items()} == {
            "a_part": 2,
            "empty": 0,
        }
        assert whole["a_part"].sha256 != other["a_part"].sha256
        assert whole["empty"] == other["empty"]

    @pytest.mark.parametrize("name", ["", "a`b", "a;b", "a b", "ä", "x" * 65])
    def test_takes_no_name_that_would_need_quotes(self, name: str) -> None:
        with pytest.raises(BackupError):
            MySQL(name)

    def test_says_which_program_is_missing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "which", lambda _: None)

        with pytest.raises(BackupError, match="mariadb-dump is missing"):
            mysql._program("mariadb-dump", "mysqldump")

    def test_is_not_restored_from_another_kind(self, tmp_path: Path) -> None:
        data, archive = tmp_path / "data", tmp_path / "backup.tar.gz"
        data.write_bytes(DUMP)
        tables = MySQL("shop").tables_in(data)
        pack(archive, Manifest("now", "mysql", "x", digest_of(data), tables), data)
        target = tmp_path / "shop.sqlite3"

        with pytest.raises(BackupError, match="of mysql, not sqlite"):
            restore(SQLite(str(target)), archive)

        assert not target.exists()


class TestSQLite:
    def test_takes_no_other_file_for_an_empty_database(self, tmp_path: Path) -> None:
        file = tmp_path / "letter.txt"
        file.write_text("Dear customer, " * 99)

        assert not SQLite(str(file)).is_empty()

    def test_restores_to_a_file_of_its_owner(self, tmp_path: Path) -> None:
        source, target = new_file(tmp_path / "source"), tmp_path / "target"

        SQLite(str(target)).load(source, collation="")

        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert SQLite(str(target)).tables_in(target)["part"].rows == 1

    def test_gives_up_on_one_that_stays_locked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite, "PATIENCE_SECONDS", 0.1)
        source, target = new_file(tmp_path / "source"), new_file(tmp_path / "target")

        with closing(sqlite3.connect(target, isolation_level=None)) as writer:
            writer.execute("BEGIN EXCLUSIVE")
            with pytest.raises(BackupError, match="stays locked"):
                SQLite(str(target)).load(source, collation="")


def new_file(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE part (name TEXT)")
        connection.execute("INSERT INTO part VALUES ('Filter')")
        connection.commit()
    return path

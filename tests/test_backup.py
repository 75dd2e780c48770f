"""A backup is one moment of the shop, and what is restored from it is the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest

from mechanic_shop.operations.backup.archive import Table, pack, unpack

from .reliability.load import until
from .support import databases
from .support.manage_process import CommandFailed, ManageProcess
from .support.server import PRODUCTION, ROOT

pytestmark = pytest.mark.xdist_group("backup")

#: Moves stock as requests do until it is killed; says when it has begun.
WRITER = """
import django; django.setup()
from inventory.models import Part
from inventory.services import adjust_stock
from mechanic_shop.accounts.models import User
from mechanic_shop.core.transactions import run_with_retries
by = User.objects.first()
parts = list(Part.objects.filter(quantity_in_stock__gte=1)[:5])
while True:
    for part in parts:
        for units in (1, -1):
            run_with_retries(lambda: adjust_stock(part=part, adjustment=units, by=by))
    print("moved", flush=True)
"""
#: Run in the shop's shell; each prints JSON.
CLIENT = """
import json
from django.contrib.auth.tokens import default_token_generator as links
from django.test import Client
from mechanic_shop.accounts.models import User
web = Client(SERVER_NAME="shop.example")
owner = User.objects.get(email="admin@example.com")
def call(method, path, body=None, **headers):
    sent = {"content_type": "application/json", "headers": headers, "secure": True}
    return getattr(web, method)(path, body, **sent).json()
print(json.dumps(%s))
"""
SIGN_UP = """call("post", "/api/auth/register",
    {"first_name": "Eve", "last_name": "Dropper", "email": "eve@example.com",
    "phone": "1", "password": "correct-horse-battery"})"""
SIGN_IN = """call("post", "/api/auth/login",
    {"email": "admin@example.com", "password": "password123"})"""
ME = """call("get", "/api/auth/me", authorization="Bearer {access_token}")"""
REFRESH = (
    """call("post", "/api/auth/refresh", {{"refresh_token": "{refresh_token}"}})"""
)
MAKE_LINK = "web.force_login(owner) or links.make_token(owner)"
CHECK_LINK = """links.check_token(owner, "{link}")"""
MOVEMENTS = "inventory_stockmovement"
#: The last sign-in, which a restore renews: links that were mailed before die by it.
WITHOUT_SIGN_INS = "UPDATE accounts_user SET last_login = NULL"
FORGET_ONE = "DELETE FROM inventory_stockmovement WHERE id = 1"


@dataclass
class Books:
    """A shop's database and a manage who works on it."""

    url: str
    new_url: str
    environment: dict[str, str]
    manage: ManageProcess
    folder: Path

    @property
    def new_name(self) -> str:
        path = urlsplit(self.new_url).path
        return path.removeprefix("/")

    @property
    def file(self) -> Path:
        return self.folder / "books.tar.gz"

    def save(self) -> str:
        return self.manage.run("backup", str(self.file))

    def restore(self, *options: str) -> str:
        new = self.new_name
        return self.manage.run("restore", str(self.file), "--database", new, *options)

    def restore_in_place(self) -> str:
        return self.manage.run("restore", str(self.file), "--replace")

    def ask(self, expression: str) -> Any:
        """Evaluate an expression in the shop, with the names of ``CLIENT``."""
        return json.loads(self.manage.run("shell", "-v0", "-c", CLIENT % expression))

    def restored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Read what was restored, without what a restore writes itself."""
        databases.change(self.new_url, WITHOUT_SIGN_INS)
        return databases.contents(self.new_url)

    def refused(self, *options: str) -> str:
        with pytest.raises(CommandFailed) as refusal:
            self.restore(*options)
        return str(refusal.value)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with databases.new_database(databases.url_for(tmp_path)) as url:
        new_url = f"{url}_new"
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": PRODUCTION,
            "SECRET_KEY": "a-key-of-books-that-live-for-one-test",
            "JWT_SECRET_KEY": "another-key-of-books-that-live-for-one-test",
            "ALLOWED_HOSTS": "shop.example",
        }
        folder = tmp_path / "backups"
        folder.mkdir()
        manage = ManageProcess(environment, tmp_path / "manage.log")
        try:
            databases.fill(
                url, like="demo", folder=tmp_path, by=lambda: open_shop(manage)
            )
            yield Books(url, new_url, environment, manage, folder)
        finally:
            manage.close()
            databases.drop(new_url)


def claims_of(pair: dict[str, str]) -> dict[str, Any]:
    token = pair["access_token"]
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def open_shop(manage: ManageProcess) -> None:
    manage.run("migrate", "--verbosity", "0")
    manage.run("seed_demo", "--force")


@contextmanager
def writers(books: Books, number: int) -> Iterator[None]:
    """Let others write all the time, from before the block begins until it ends."""
    working = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER],
            cwd=ROOT,
            env=books.environment,
            stdout=subprocess.PIPE,
        )
        for _ in range(number)
    ]
    try:
        for writer in working:
            assert writer.stdout
            assert writer.stdout.readline() == b"moved\n"
        yield
        assert [writer.poll() for writer in working] == [None] * number
    finally:
        for writer in working:
            writer.kill()
            writer.communicate()


class TestBackup:
    def test_is_the_same_under_a_new_name(self, books: Books) -> None:
        before = databases.contents(books.url)

        books.save()
        said = books.restore()

        assert books.restored() == before
        assert databases.contents(books.url) == before
        assert len(before[MOVEMENTS]) > 100
        rows = sum(len(before[n]) for n in before if not n.startswith("sqlite_"))
        assert f"with {rows} rows" in said
        assert "all checksums are the same" in said
        assert "All invariants hold: 60 parts, 150 tickets checked." in said

    def test_is_one_moment_while_others_write(self, books: Books) -> None:
        def moved() -> int:
            return len(databases.contents(books.url)[MOVEMENTS])

        with writers(books, 2):
            before = moved()
            books.save()
            until(lambda: moved() > before)
        said = books.restore()

        saved = len(databases.contents(books.new_url)[MOVEMENTS])
        assert before <= saved < moved()
        assert "All invariants hold" in said

    def test_is_for_its_owner_alone_and_the_only_file(self, books: Books) -> None:
        books.save()

        assert list(books.folder.iterdir()) == [books.file]
        assert books.file.stat().st_mode & 0o777 == 0o600

    def test_gets_a_name_in_a_folder(self, books: Books) -> None:
        said = books.manage.run("backup", str(books.folder))

        [file] = books.folder.iterdir()
        assert file.name.startswith("mechanic-shop-20")
        assert f" to {file} (" in said

    def test_overwrites_nothing(self, books: Books) -> None:
        books.file.write_text("precious")

        with pytest.raises(CommandFailed, match="exists already"):
            books.save()

        assert books.file.read_text() == "precious"
        assert list(books.folder.iterdir()) == [books.file]

    def test_leaves_nothing_when_it_fails(self, books: Books) -> None:
        environment = {**books.environment, "DATABASE_URL": books.new_url}
        nowhere = ManageProcess(environment, books.folder.parent / "nowhere.log")

        with pytest.raises(CommandFailed, match="There is no database"):
            nowhere.run("backup", str(books.file))
        nowhere.close()

        assert list(books.folder.iterdir()) == []
        assert not databases.exists(books.new_url)


class TestRestore:
    def test_refuses_a_file_that_is_cut_off_and_leaves_nothing(
        self, books: Books
    ) -> None:
        books.save()
        whole = books.file.read_bytes()

        for length in (0, 99, len(whole) // 2, len(whole) - 20, len(whole) - 1):
            books.file.write_bytes(whole[:length])

            assert "no whole backup" in books.refused()
            assert not databases.exists(books.new_url)

    def test_refuses_a_file_that_was_changed(self, books: Books) -> None:
        books.save()
        data = books.folder / "data"
        manifest = unpack(books.file, data)
        data.write_bytes(data.read_bytes().replace(b"Honda", b"Hondo"))
        books.file.unlink()
        pack(books.file, manifest, data)

        assert "its digest is another" in books.refused()
        assert not databases.exists(books.new_url)

    def test_removes_what_is_not_the_same(self, books: Books) -> None:
        books.save()
        data = books.folder / "data"
        manifest = unpack(books.file, data)
        books.file.unlink()
        tables = {**manifest.tables, MOVEMENTS: Table(1, "0" * 64)}
        pack(books.file, replace(manifest, tables=tables), data)

        assert f"Not restored as they were: {MOVEMENTS}." in books.refused()
        assert not databases.exists(books.new_url)

    def test_refuses_a_database_that_has_tables(self, books: Books) -> None:
        books.save()
        books.restore()
        databases.change(books.new_url, FORGET_ONE)
        rows = len(databases.contents(books.new_url)[MOVEMENTS])

        assert "is not empty" in books.refused()
        assert len(databases.contents(books.new_url)[MOVEMENTS]) == rows

        books.restore("--replace")
        assert books.restored() == databases.contents(books.url)

    def test_tells_of_books_that_did_not_agree_before_and_keeps_them(
        self, books: Books
    ) -> None:
        databases.change(books.url, FORGET_ONE)
        books.save()

        assert "but its movements add up to" in books.refused()
        assert books.restored() == databases.contents(books.url)

    def test_tells_of_a_backup_that_is_older_than_the_code(self, books: Books) -> None:
        databases.change(
            books.url, "DELETE FROM django_migrations WHERE app = 'tickets'"
        )
        books.save()

        assert "run migrate on it" in books.restore()

    def test_refuses_what_is_no_backup(self, books: Books) -> None:
        assert "There is no file" in books.refused()
        books.file.write_text("no backup at all")
        assert "no whole backup" in books.refused()


class TestRestoredSessions:
    """Numbers are given again in a restored database, and no right comes along."""

    def test_token_of_a_lost_session_is_nobodys(self, books: Books) -> None:
        books.save()
        lost = books.ask(SIGN_UP)
        books.restore_in_place()

        again = books.ask(SIGN_IN)

        assert claims_of(again)["sid"] == claims_of(lost)["sid"]
        assert books.ask(ME.format(**again))["email"] == "admin@example.com"
        assert books.ask(ME.format(**lost))["code"] == "token_not_valid"
        assert books.ask(REFRESH.format(**lost))["code"] == "token_not_valid"

    def test_sessions_and_links_of_the_backup_end(self, books: Books) -> None:
        before, link = books.ask(SIGN_IN), books.ask(MAKE_LINK)
        books.save()
        assert books.ask(CHECK_LINK.format(link=link)) is True

        said = books.restore_in_place()

        assert "Ended 1 sessions of the API, 1 of the back office" in said
        assert books.ask(ME.format(**before))["code"] == "token_not_valid"
        assert books.ask(CHECK_LINK.format(link=link)) is False

"""``manage.py restore``: bring a backup back, under the same or a new name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mechanic_shop.operations.backup import BackupError, restore, store_named


class Command(BaseCommand):
    help = (
        "Fill an empty or new database from a backup, compare every row, end all"
        " sessions in it, and check the shop's invariants."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--database",
            help="Where to: a URL, or a name on the same server (SQLite: a file);"
            " else that of DATABASE_URL.",
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="Throw away what is in that database.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was restored.

        :raises CommandError: if nothing was, or if the books do not agree. They did not
            when the backup was made either, so what was restored stays.
        """
        if "://" in (options["database"] or ""):
            self.stdout.write(_restore_at(**options))
            return
        try:
            store = store_named(options["database"])
            manifest = restore(store, options["file"], replace=options["replace"])
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Restored {len(manifest.tables)} tables with {manifest.rows} rows"
            f" of {manifest.made_at} to {store.name}; all checksums are the same."
        )
        self.stdout.write(_end_sessions(store.url))
        self.stdout.write(_check(store.url))


def _restore_at(database: str, file: Path, *, replace: bool, **_: Any) -> str:
    """Restore in a process of its own, for which that database is the shop's.

    :raises CommandError: with what it says
    """
    more = ["--replace"] if replace else []
    done = _manage(database, "restore", str(file.absolute()), *more)
    if done.returncode:
        raise CommandError(done.stderr.strip().removeprefix("CommandError: "))
    return done.stdout.strip()


def _end_sessions(url: str) -> str:
    """Take the effect from everything that was signed out or used since the backup.

    :raises CommandError: if that fails; the restored database must not be used then
    """
    ended = _manage(url, "end_sessions")
    if ended.returncode:
        raise CommandError(
            f"{ended.stdout}{ended.stderr}\nThe sessions in the restored database are"
            " still alive: run end_sessions on it before it is used.".strip()
        )
    return ended.stdout.strip()


def _check(url: str) -> str:
    """Ask in a process of its own, which works on the restored database.

    :raises CommandError: with the violations
    """
    if _manage(url, "migrate", "--check").returncode:
        return (
            "The backup is older than this version: run migrate on it,"
            " then check_invariants."
        )
    checked = _manage(url, "check_invariants")
    if checked.returncode:
        raise CommandError(f"{checked.stdout}{checked.stderr}".strip())
    return checked.stdout.strip()


def _manage(url: str, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, str(settings.BASE_DIR / "manage.py"), *command],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )

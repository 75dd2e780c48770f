"""``manage.py backup``: save the database while the shop works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mechanic_shop.operations.backup import BackupError, save, store_named


class Command(BaseCommand):
    help = "Write a backup of the database, as of one moment, while the shop works."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            nargs="?",
            type=Path,
            default=settings.BASE_DIR / "backups",
            help="A new file, or a folder that gets one named by the time.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was written.

        :raises CommandError: if it could not be
        """
        target = _file_in(options["file"])
        try:
            manifest = save(store_named(), target)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Saved {len(manifest.tables)} tables with {manifest.rows} rows"
            f" to {target} ({target.stat().st_size} bytes)."
        )


def _file_in(place: Path) -> Path:
    if place.suffixes[-2:] == [".tar", ".gz"] and not place.is_dir():
        return place
    return place / f"mechanic-shop-{timezone.now():%Y%m%dT%H%M%SZ}.tar.gz"

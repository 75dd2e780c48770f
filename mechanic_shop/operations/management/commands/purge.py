"""``manage.py purge``: forget what means nothing any more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mechanic_shop.operations import purging


class Command(BaseCommand):
    help = (
        "Remove ended sessions, old idempotency keys, idle rate counters and addresses"
        " not seen for long; never a row that still counts. Safe while the shop works."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Only count what would be removed."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        dry = options["dry_run"]
        verb = "Would remove" if dry else "Removed"
        for name, number in purging.count() if dry else purging.purge():
            self.stdout.write(f"{verb} {number} {name}.")

"""``manage.py refresh_copies``: complete what the previous release has written."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mechanic_shop.core.registry import copy_refreshers


class Command(BaseCommand):
    help = (
        "Bring copied columns up to date that servers of the previous release did not"
        " write during an update. Safe while the shop works; the second run finds none."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        rows = sum(refresh() for refresh in copy_refreshers)
        noun = "row" if rows == 1 else "rows"
        self.stdout.write(f"Brought {rows} {noun} up to date.")

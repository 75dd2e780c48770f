"""``manage.py run_worker``: send mail, and do what else waits in the queue."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mechanic_shop.operations.worker import work_until_told


class Command(BaseCommand):
    help = (
        "Send mail and do long work that waits in the queue, until SIGTERM. Any number"
        " of workers may run at a time, on any number of machines."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--parent", type=int, help="End when this process no longer is the parent."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        work_until_told(parent=options["parent"])

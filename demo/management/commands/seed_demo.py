"""``manage.py seed_demo``: create the demo shop in an empty database."""

from __future__ import annotations

from argparse import ArgumentParser
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from demo.build import build, find_obstacle, has_demo_data, is_unused
from demo.people import has_demo_password, login_table


class Command(BaseCommand):
    help = "Fill an empty database with a made-up shop; never change or delete a row."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="If there is any customer or login, at most tell the demo logins.",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="Work although DEBUG is off; the logins' password is publicly known.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_empty"] and not is_unused():
            if has_demo_data():
                self.show_logins()
            return
        if not (settings.DEBUG or options["force"]):
            raise CommandError(
                "DEBUG is off, and the demo logins have a publicly known password."
                " Say --force if you want them here."
            )
        self.seed()

    @transaction.atomic
    def seed(self) -> None:
        """Build the demo shop, unless it exists already.

        :raises CommandError: if the database contains other data
        """
        if has_demo_data():
            self.stdout.write("The demo data are here already; nothing was changed.")
            return
        if obstacle := find_obstacle():
            raise CommandError(
                f"The database holds data that are not the demo's ({obstacle})."
                " The demo data need an empty one: set DATABASE_URL to a new database."
            )
        started = perf_counter()
        build(self.stdout.write)
        self.stdout.write(f"Done in {perf_counter() - started:.1f} seconds.\n\n")
        self.show_logins()

    def show_logins(self) -> None:
        """Print a table of the logins that still have the demo's password."""
        logins = [row for row in login_table() if has_demo_password(row[1])]
        for row in (("Role", "Email", "Password"), *logins) if logins else ():
            self.stdout.write("{:<16} {:<24} {}".format(*row))

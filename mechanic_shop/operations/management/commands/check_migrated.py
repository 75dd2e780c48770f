"""``manage.py check_migrated``: end with an error if the tables are those of before."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    help = "End with an error unless every migration has been applied."

    def handle(self, *args: Any, **options: Any) -> None:
        """Look at the migrations that the database knows of.

        :raises CommandError: if it lacks one
        """
        try:
            executor = MigrationExecutor(connection)
        except OperationalError:
            return  # the server comes up without a database, and /readyz says so
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            raise CommandError(
                f"The database lacks {len(missing)} migrations."
                " Run: deploy/shop migrate"
            )

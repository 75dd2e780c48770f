"""``manage.py lint_migrations``: may servers run while these are applied?"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.loader import MigrationLoader

from mechanic_shop.operations.migration_lint import complaints_about_all


class Command(BaseCommand):
    help = "Find migrations that servers with the code of before would trip over."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say that all are fine.

        :raises CommandError: naming those that are not
        """
        loader = MigrationLoader(None)
        if found := list(complaints_about_all(loader, own_apps())):
            raise CommandError("\n".join([*found, "See docs/operations.md."]))
        self.stdout.write("Every migration can be applied while servers are running.")


def own_apps() -> set[str]:
    """Name the apps whose packages are in this project's folder."""
    packages = {path.name for path in settings.BASE_DIR.iterdir() if path.is_dir()}
    return {
        config.label
        for config in apps.get_app_configs()
        if config.name.split(".")[0] in packages
    }

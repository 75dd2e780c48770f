"""Find the database that a backup is about."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from .archive import BackupError
from .databases import Store
from .mysql import MySQL
from .sqlite import SQLite


def store_named(name: str | None = None) -> Store:
    """Return the shop's database, or its neighbour of another name.

    :raises BackupError: if no database can be called that
    """
    own = str(settings.DATABASES["default"]["NAME"])
    if connection.vendor == "mysql":
        return MySQL(name or own)
    if connection.vendor == "sqlite":
        return SQLite(name or own)
    raise BackupError(f"No way is known to save {connection.vendor}.")

"""What docs/adr/0015 asks of schema and code, so that a cluster can hold the data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from mechanic_shop.spreadsheets.cells import SMALL
from mechanic_shop.spreadsheets.plans import CHUNK_ROWS

PACKAGES = (
    "mechanic_shop",
    "customers",
    "mechanics",
    "inventory",
    "tickets",
    "dashboard",
    "demo",
)
#: Locks of one server, which the others know nothing of.
LOCAL = re.compile(r"GET_LOCK|LOCK TABLES|IS_FREE_LOCK|RELEASE_LOCK", re.IGNORECASE)
#: Who locks rows and why that holds between nodes: they are claimed, or written.
LOCKS = {
    "mechanic_shop/core/locking.py": "claims",
    "mechanic_shop/core/search_columns.py": "writes the rows",
    "customers/services.py": "claims",
    "mechanic_shop/api/idempotency.py": "writes the key's row",
    "mechanic_shop/admin/double_submit.py": "writes the key's row",
    "inventory/services.py": "writes the part, or deletes it",
    "inventory/part_import/resource.py": "writes the parts",
    "customers/imports/matching.py": "the services claim what they write",
    "mechanic_shop/spreadsheets/services.py": "deletes the upload",
}
LOCKING = re.compile(r"select_for_update\(")
#: MySQL's engines and keys; a table of the test's own run has them as production has.
TABLES = """
SELECT tables.table_name, tables.engine, MAX(columns.column_key = 'PRI')
FROM information_schema.tables AS tables
JOIN information_schema.columns AS columns
    USING (table_schema, table_name)
WHERE tables.table_schema = DATABASE() AND tables.table_type = 'BASE TABLE'
GROUP BY tables.table_name, tables.engine
"""


def sources() -> Iterator[tuple[str, str]]:
    """Give the name and the text of each file of the product."""
    for package in PACKAGES:
        for path in sorted((settings.BASE_DIR / package).rglob("*.py")):
            name = path.relative_to(settings.BASE_DIR)
            if not {"tests", "migrations"} & set(name.parts):
                yield str(name), Path(path).read_text()


class TestTables:
    def test_have_a_primary_key(self) -> None:
        models = apps.get_models(include_auto_created=True)

        assert len(models) > 20
        assert all(model._meta.pk is not None for model in models)

    @pytest.mark.django_db
    @pytest.mark.skipif(connection.vendor != "mysql", reason="asks MySQL")
    def test_are_innodbs_and_have_a_primary_key(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(TABLES)
            tables = {name: (engine, key) for name, engine, key in cursor.fetchall()}

        assert len(tables) > 20
        assert set(tables.values()) == {("InnoDB", 1)}


class TestCode:
    def test_uses_no_lock_that_only_one_server_knows(self) -> None:
        assert [name for name, text in sources() if LOCAL.search(text)] == []

    def test_locks_rows_only_where_that_holds_between_nodes(self) -> None:
        found = {name for name, text in sources() if LOCKING.search(text)}

        assert found == set(LOCKS)

    def test_writes_no_more_rows_at_once_than_a_file_may_have(self) -> None:
        """The largest transaction of all is the import of a list of parts."""
        assert max(SMALL.rows, CHUNK_ROWS) <= 2_000

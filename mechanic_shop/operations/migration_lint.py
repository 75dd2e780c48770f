"""Which migrations an old server would trip over while the new one is put in place.

During an upgrade the database is migrated first, and servers with the code of before go
on working on it. So a migration may only add what that code can do without; the rest
waits for the release after. ``docs/operations.md`` shows the three steps.

A linter that reads the SQL of a migration would read SQLite's, unless a MySQL is at
hand wherever it runs. This one reads the operations, which are the same everywhere
(``docs/adr/0023``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import FieldOperation
from django.db.migrations.operations.models import IndexOperation, ModelOperation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, ManyToManyField

SCHEMA_CHANGES = (ModelOperation, FieldOperation, IndexOperation)
#: What is wrong with operations on a table that is in use already.
COMPLAINTS: dict[type[Operation], str] = {
    operations.DeleteModel: "drops a table that running servers use",
    operations.RenameModel: "renames a table under running servers",
    operations.AlterModelTable: "renames a table under running servers",
    operations.RemoveField: "drops a column that running servers read and write",
    operations.RenameField: "renames a column under running servers",
    operations.AddIndex: "reads all rows of the table to build an index",
    operations.AddConstraint: "refuses rows that running servers may write",
    operations.AlterUniqueTogether: "refuses rows that running servers may write",
    operations.RunSQL: "runs SQL, which only a person can judge",
    operations.SeparateDatabaseAndState: "needs a person to judge it",
}
MIXED = (
    "Changes rows and tables in one migration. MySQL keeps the tables when the rows"
    " fail, so that it cannot be run again: split it."
)


def complaints_about_all(loader: MigrationLoader, apps: set[str]) -> Iterator[str]:
    """Judge every migration of some apps."""
    for key in sorted(loader.disk_migrations):
        if key[0] not in apps:
            continue
        state = loader.project_state(key, at_end=False)
        for complaint in complaints(loader.disk_migrations[key], state):
            yield f"{'.'.join(key)}: {complaint}"


def complaints(migration: Migration, state: ProjectState) -> Iterator[str]:
    """Tell what in a migration is not safe while servers are running.

    The first migration of an app is: nobody uses its tables yet. So is one whose author
    says in ``reviewed = "…"`` why it is nevertheless.

    :param state: the models as they are before it
    """
    reviewed: str = getattr(migration, "reviewed", "")
    if migration.initial or reviewed:
        return
    kinds = migration.operations
    own = {each.name_lower for each in kinds if isinstance(each, ModelOperation)} - {
        name for app, name in state.models if app == migration.app_label
    }
    for operation in kinds:
        if _table_of(operation) in own:
            continue
        if complaint := _complaint(operation, migration.app_label, state):
            yield f"{operation.describe()}: {complaint}."
    if any(isinstance(each, operations.RunPython) for each in kinds) and any(
        isinstance(each, SCHEMA_CHANGES) for each in kinds
    ):
        yield MIXED


def _table_of(operation: Operation) -> str:
    name = getattr(operation, "model_name", None) or getattr(operation, "name", None)
    return str(name or "").lower()


def _complaint(operation: Operation, app: str, state: ProjectState) -> str | None:
    if isinstance(operation, operations.AddField):
        return _about_new(operation.field)
    if isinstance(operation, operations.AlterField):
        model = state.models[app, operation.model_name_lower]
        old = model.fields[operation.name]
        if _column_of(old) != _column_of(operation.field):
            return "changes a column, which running servers know as it was"
        return None
    return COMPLAINTS.get(type(operation))


def _about_new(field: Any) -> str | None:
    """Judge a column by what becomes of an INSERT that does not know it."""
    if isinstance(field, ManyToManyField):
        return None  # a table of its own
    if not field.null and field.db_default is NOT_PROVIDED:
        return "is empty in rows of running servers; it needs a db_default or null"
    if field.unique or field.is_relation:
        return "reads all rows of the table to check what it is unique in or refers to"
    return None


def _column_of(field: Any) -> tuple[Any, ...]:
    """Return what the database knows of a field."""
    _, path, args, options = field.deconstruct()
    known = {
        name: value
        for name, value in options.items()
        if name not in {*field.non_db_attrs, "default"}
    }
    return path, args, known

"""Migrations that an old server could not live with do not pass unnoticed."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from mechanic_shop.operations.management.commands.lint_migrations import own_apps
from mechanic_shop.operations.migration_lint import complaints

CHECK = models.CheckConstraint(condition=models.Q(price__gte=0), name="price_positive")
INDEX = models.Index(fields=["price"], name="by_price")
ROWS = migrations.RunPython(migrations.RunPython.noop)

UNSAFE: list[tuple[Operation, str]] = [
    (migrations.DeleteModel("Part"), "drops a table"),
    (migrations.RenameModel("Part", "Spare"), "renames a table"),
    (migrations.AlterModelTable("Part", "spares"), "renames a table"),
    (migrations.RemoveField("part", "price"), "drops a column"),
    (migrations.RenameField("part", "price", "cost"), "renames a column"),
    (migrations.AddField("part", "bin", models.IntegerField()), "db_default"),
    (migrations.AddField("part", "bin", models.IntegerField(default=1)), "db_default"),
    (
        migrations.AddField("part", "ean", models.TextField(null=True, unique=True)),
        "all rows",
    ),
    (
        migrations.AddField(
            "part", "twin", models.ForeignKey("Part", models.CASCADE, null=True)
        ),
        "all rows",
    ),
    (
        migrations.AlterField("part", "price", models.BigIntegerField()),
        "changes a column",
    ),
    (
        migrations.AlterField("part", "name", models.CharField(max_length=5)),
        "changes a column",
    ),
    (migrations.AddIndex("part", INDEX), "build an index"),
    (migrations.AddConstraint("part", CHECK), "refuses rows"),
    (migrations.AlterUniqueTogether("part", {("price", "name")}), "refuses rows"),
    (migrations.RunSQL("DELETE FROM part"), "only a person"),
    (migrations.SeparateDatabaseAndState(), "person"),
]
SAFE: list[Operation] = [
    migrations.AddField("part", "bin", models.IntegerField(null=True)),
    migrations.AddField("part", "bin", models.IntegerField(db_default=0)),
    migrations.AddField("part", "cars", models.ManyToManyField("Part")),
    migrations.AlterField(
        "part", "name", models.CharField("called", max_length=9, help_text="On it.")
    ),
    migrations.AlterModelOptions("part", {"verbose_name": "spare"}),
    migrations.RemoveIndex("part", "by_price"),
    migrations.RemoveConstraint("part", "price_positive"),
    ROWS,
]


def state() -> ProjectState:
    before = ProjectState()
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("price", models.IntegerField()),
        ("name", models.CharField(max_length=9)),
    ]
    before.add_model(ModelState("shelf", "Part", fields))
    return before


def complaints_of(*operations: Operation, **attributes: Any) -> list[str]:
    attributes["operations"] = list(operations)
    kind = type("Migration", (migrations.Migration,), attributes)
    migration: migrations.Migration = kind("0002_more", "shelf")
    return list(complaints(migration, state()))


class TestLint:
    @pytest.mark.parametrize(
        ("operation", "words"), UNSAFE, ids=[each.describe() for each, _ in UNSAFE]
    )
    def test_complains(self, operation: Operation, words: str) -> None:
        [complaint] = complaints_of(operation)

        assert complaint.startswith(operation.describe())
        assert words in complaint

    @pytest.mark.parametrize("operation", SAFE, ids=lambda each: each.describe())
    def test_lets_pass(self, operation: Operation) -> None:
        assert complaints_of(operation) == []

    def test_lets_a_migration_do_anything_with_its_own_tables(self) -> None:
        new = migrations.CreateModel("Bin", [("id", models.BigAutoField())])
        column = migrations.AddField("bin", "size", models.IntegerField())
        index = models.Index(fields=["size"], name="by_size")

        assert complaints_of(new, column, migrations.AddIndex("Bin", index)) == []

    def test_complains_of_rows_and_tables_in_one(self) -> None:
        column = migrations.AddField("part", "bin", models.IntegerField(null=True))

        [complaint] = complaints_of(column, ROWS)

        assert "split it" in complaint

    def test_lets_the_first_migration_pass(self) -> None:
        assert complaints_of(UNSAFE[0][0], initial=True) == []

    def test_believes_a_person_who_says_why(self) -> None:
        assert complaints_of(UNSAFE[0][0], reviewed="Empty since 1.4.") == []
        assert complaints_of(UNSAFE[0][0], reviewed="") != []


class TestLintMigrations:
    def test_has_nothing_against_those_of_the_shop(self) -> None:
        output = StringIO()

        call_command("lint_migrations", stdout=output)

        assert "Every migration can be applied" in output.getvalue()

    def test_looks_at_the_shops_own_apps_and_at_no_others(self) -> None:
        assert {"customers", "mechanics", "inventory", "tickets"} < own_apps()
        assert {"accounts", "api"} < own_apps()
        assert "auth" not in own_apps()

    def test_names_the_migration(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loader = MigrationLoader(None)
        migration = loader.disk_migrations["inventory", "0003_history"]
        operation = migrations.RemoveField("part", "supplier")
        monkeypatch.setattr(type(migration), "operations", [operation])

        with pytest.raises(CommandError, match=r"^inventory\.0003_history: Remove"):
            call_command("lint_migrations")

"""Import the rows of a spreadsheet through the services, first as a plan.

The plan is what a user confirms. At the end the import compares its changes with the
confirmed plan; if they differ, everything is rolled back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

import tablib  # type: ignore[import-untyped]
from django.core.exceptions import ValidationError
from django.db.models import Model
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.results import Error, InvalidRow, Result, RowResult

from .cells import without_control_characters
from .columns import Column
from .tables import ROW

if TYPE_CHECKING:
    from mechanic_shop.accounts.models import User

Row = dict[str, Any]
PROGRESS_ROWS = 500


class ImportRejected(Exception):
    """A file cannot be imported as a whole; the message says why."""


@dataclass(frozen=True)
class Change:
    """A cell that differs from the stored row; both values are formatted as cells."""

    column: Column
    old: str
    new: str


class ImportRowResult(RowResult):
    """The result of one row: its number in the file, and its changes."""

    number: int = 0
    changes: tuple[Change, ...] = ()


class ImportResult(Result):
    """The result of an import, or of its plan."""

    rows: list[ImportRowResult]

    def append_invalid_row(self, number: int, row: Row, validation_error: Any) -> None:
        self.invalid_rows.append(InvalidRow(row[ROW], validation_error, row))

    @property
    def changed_rows(self) -> list[ImportRowResult]:
        return [row for row in self.rows if row.changes]

    @property
    def rejections(self) -> list[str]:
        """The reasons why the file as a whole is rejected."""
        return [str(error.error) for error in self.base_errors]

    @property
    def is_valid(self) -> bool:
        return not self.has_errors() and not self.has_validation_errors()


def fingerprint(rows: list[ImportRowResult]) -> str:
    """Return a digest of all changes of some rows, by which others are noticed."""
    plan = [
        [row.number, row.import_type]
        + [[each.column.column_name, each.old, each.new] for each in row.changes]
        for row in rows
        if row.changes
    ]
    return sha256(json.dumps(plan).encode()).hexdigest()


class PlanChanged(Exception):
    """The stored rows have changed since the user confirmed the plan."""

    def __init__(self, result: ImportResult) -> None:
        super().__init__()
        self.result = result


class MatchedLoader(BaseInstanceLoader):
    """Return copies of the rows that were found before the first row was read."""

    def get_instance(self, row: Row) -> Model | None:
        known: Model | None = self.resource.known.get(row[ROW])
        return copy(known)


class ImportResource(ModelResource):
    """Compare each row with its stored row, and write the differences by services.

    A subclass says which columns there are, finds the stored rows, and calls services.

    :param user: the user who imports; every row needs their permissions
    :param confirmed: the fingerprint of the confirmed plan; None for a plan
    :param on_progress: called now and then with the number of rows that are done
    """

    columns: ClassVar[tuple[Column, ...]]
    #: What people call the rows: of one row, and of many.
    noun: ClassVar[tuple[str, str]]
    #: The headings that every file must have, and those that new rows need.
    required: ClassVar[tuple[str, ...]] = ()
    required_for_new: ClassVar[tuple[str, ...]] = ()
    #: The permissions that rows may need, and the message if a user lacks one.
    permission_errors: ClassVar[Mapping[str, str]]

    class Meta:
        fields: ClassVar[list[str]] = []
        import_id_fields: ClassVar[list[str]] = []
        instance_loader_class = MatchedLoader
        clean_model_instances = True
        report_skipped = True
        skip_diff = True
        store_instance = True

    def __init__(
        self,
        *,
        user: User,
        confirmed: str | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__()
        self.on_progress = on_progress
        self.fields = {column.attribute: column for column in self.columns}
        self.user = user
        self.confirmed = confirmed

    @classmethod
    def get_result_class(cls) -> type[ImportResult]:
        return ImportResult

    @classmethod
    def get_row_result_class(cls) -> type[ImportRowResult]:
        return ImportRowResult

    @classmethod
    def target(cls) -> str:
        return str(cls._meta.model._meta.label_lower)

    @classmethod
    def headings(cls) -> list[str]:
        return [column.column_name for column in cls.columns]

    # --- What a subclass defines ------------------------------------------------------

    def match(self, rows: list[Row], *, lock: bool) -> dict[int, Model]:
        """Find the stored row of each row that has one, by its number in the file.

        Mistakes in what names a row go into ``self.mistakes``.
        """
        raise NotImplementedError

    def describe_new(self, row: Row) -> str:
        """Name a new row, for a sentence about missing columns."""
        raise NotImplementedError

    def needed_permissions(self, *, is_new: bool, names: list[str]) -> set[str]:
        raise NotImplementedError

    def add(self, values: dict[str, Any], instance: Any) -> Model:
        raise NotImplementedError

    def change(self, known: Any, values: dict[str, Any], instance: Any) -> None:
        raise NotImplementedError

    def title_of(self, instance: Any) -> tuple[str, str]:
        """Return the two lines by which a plan names a row."""
        return str(instance), ""

    def count(self, result: ImportResult) -> list[tuple[str, int]]:
        """Return the figures of a plan, in the order in which they are shown."""
        _, many = self.noun
        return [
            (f"New {many}", result.totals["new"]),
            (f"Changed {many}", result.totals["update"]),
            ("Unchanged", result.totals["skip"]),
            ("Rows with mistakes", len(result.invalid_rows)),
        ]

    def summarize(self, result: ImportResult) -> str:
        """Say in a sentence what an import did."""
        totals, (_, many) = result.totals, self.noun
        return (
            f"Import finished: {totals['new']:,} {many} added, {totals['update']:,}"
            f" changed, {totals['skip']:,} unchanged."
        )

    # --- The file as a whole ----------------------------------------------------------

    def run(self, dataset: tablib.Dataset) -> ImportResult:
        """Make the plan, or import the rows, within the caller's transaction.

        :raises PlanChanged: if these are not the confirmed changes
        """
        result: ImportResult = self.import_data(
            dataset, use_transactions=False, retain_instance_in_row_result=True
        )
        return result

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        rows = dataset.dict
        #: Row number and column of what does not name one row.
        self.mistakes: dict[int, dict[str, str]] = {}
        self.known = self.match(rows, lock=self.confirmed is not None)
        self.missing = {
            code for code in self.permission_errors if not self.user.has_perm(code)
        }
        self.rejections = list(self._missing_columns(rows, dataset.headers))

    def _missing_columns(self, rows: list[Row], headers: list[str]) -> Iterator[str]:
        missing = [name for name in self.required_for_new if name not in headers]
        new = [
            row
            for row in rows
            if row[ROW] not in self.known and row[ROW] not in self.mistakes
        ]
        if missing and new:
            columns = "this column is" if len(missing) == 1 else "these columns are"
            yield (
                f"The file has new {self.noun[1]}, the first is"
                f" {self.describe_new(new[0])} in row {new[0][ROW]}. For those,"
                f" {columns} missing: {' and '.join(missing)}."
            )

    def after_import(self, dataset: Any, result: ImportResult, **_: Any) -> None:
        """Report why the file is rejected, if it is.

        :raises PlanChanged: if these are not the confirmed changes
        """
        for sentence in dict.fromkeys(self.rejections):
            result.append_base_error(Error(ImportRejected(sentence)))
        if self.confirmed is None:
            return
        if not result.is_valid or fingerprint(result.rows) != self.confirmed:
            raise PlanChanged(result)

    def handle_import_error(self, result: Any, error: Exception, *_: Any) -> None:
        """Raise errors that are no fault of the file; the import is rolled back."""
        raise error

    # --- Row by row -------------------------------------------------------------------

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> RowResult:
        """Import a row; errors of a service or the database are raised."""
        result: RowResult = super().import_row(row, instance_loader, **kwargs)
        for error in result.errors:
            raise error.error
        return result

    def before_import_row(self, row: Row, **kwargs: Any) -> None:
        if mistakes := self.mistakes.get(row[ROW]):
            raise ValidationError(mistakes)

    def import_field(
        self, field: Any, instance: Any, row: Row, is_m2m: bool = False, **kwargs: Any
    ) -> None:
        """Keep what the cell shows already, exactly as it is stored.

        So an exported file comes back unchanged, whatever the shop has in its fields.
        """
        if field.is_reference:
            return
        cell = row.get(field.column_name)
        is_stored = instance.pk is not None
        if is_stored and cell is not None and shows(field, instance, cell):
            return
        super().import_field(field, instance, row, is_m2m, **kwargs)

    def skip_row(
        self,
        instance: Any,
        original: None,
        row: Row,
        import_validation_errors: Any = None,
    ) -> bool:
        return not import_validation_errors and not self._changes(row, instance)

    def validate_instance(
        self,
        instance: Any,
        import_validation_errors: Any = None,
        validate_unique: bool = True,
    ) -> None:
        """Validate the fields; unique values were compared for all rows at once."""
        errors = dict(import_validation_errors or {})
        imported = {column.attribute for column in self.columns}
        others = {field.name for field in instance._meta.fields} - imported
        try:
            instance.full_clean(
                exclude=others | errors.keys(),
                validate_unique=False,
                validate_constraints=False,
            )
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def save_instance(
        self, instance: Any, is_create: bool, row: Row, **kwargs: Any
    ) -> None:
        """Write the differences, unless it is a plan or a permission is missing."""
        names = [each.column.attribute for each in self._changes(row, instance)]
        needed = self.needed_permissions(is_new=is_create, names=names)
        self.rejections += [
            self.permission_errors[code] for code in sorted(needed & self.missing)
        ]
        if self.confirmed is None or self.rejections:
            return
        values = {name: getattr(instance, name) for name in names}
        if is_create:
            instance.pk = self.add(values, instance).pk
        else:
            self.change(self.known[row[ROW]], values, instance)

    def after_import_row(
        self, row: Row, row_result: ImportRowResult, **kwargs: Any
    ) -> None:
        done = kwargs["row_number"]
        if self.on_progress and done % PROGRESS_ROWS == 0:
            self.on_progress(done)
        row_result.number = row[ROW]
        row_result.changes = self._changes(row, row_result.instance)

    def _changes(self, row: Row, instance: Any) -> tuple[Change, ...]:
        """Return the cells that differ; for a new row all of them."""
        known = self.known.get(row[ROW])
        return tuple(
            Change(
                column, column.export(known) if known else "", column.export(instance)
            )
            for column in self.columns
            if not column.is_reference
            and (known is None or column.get_value(known) != column.get_value(instance))
        )


def shows(column: Column, instance: Any, cell: str) -> bool:
    """Return whether a cell is what an export writes for the stored value.

    Line endings may differ, and control characters: no workbook can hold them.
    """
    stored = column.export(instance)
    return comparable(stored) == comparable(str(cell))


def comparable(text: str) -> str:
    return without_control_characters("\n".join(text.splitlines())).strip()

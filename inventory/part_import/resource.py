"""Import the rows of a spreadsheet through the services, first as a dry run.

The dry run makes the plan that a user confirms. The final run compares its changes with
the confirmed plan at the end; if they differ, everything is rolled back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import tablib  # type: ignore[import-untyped]
from django.core.exceptions import ValidationError
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.results import Error, Result, RowResult

from inventory import services
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.spreadsheets.columns import Column
from mechanic_shop.spreadsheets.tables import ROW

from .fields import COLUMNS, REQUIRED_FOR_NEW

CHUNK_SIZE = 500
#: The permissions that rows may need, and the message if a user lacks one.
ADD = "inventory.add_part"
CHANGE = "inventory.change_part"
ADJUST = "inventory.adjust_quantity"
STOCK = "quantity_in_stock"
PERMISSION_ERRORS = {
    ADD: "The file has new parts, and you may not add parts.",
    CHANGE: "The file changes parts, and you may not change parts.",
    ADJUST: "The file changes quantities, and you may not adjust the stock.",
}


class ImportRejected(Exception):
    """A file cannot be imported as a whole; the message says why."""


@dataclass(frozen=True)
class Change:
    """A cell that differs from the stored part; both values are formatted as cells."""

    column: Column
    old: str
    new: str


class PartRowResult(RowResult):
    """The result of one row: its number in the file, and its changes."""

    number: int = 0
    changes: tuple[Change, ...] = ()

    @property
    def displayed_changes(self) -> list[Change]:
        """The changes to list; a new part's number and name have their own column."""
        shown = set() if self.is_update() else {"part_number", "name"}
        others = [each for each in self.changes if each.column.attribute not in shown]
        return [each for each in others if each.new or each.old]

    @property
    def is_stock_count(self) -> bool:
        counted = any(change.column.attribute == STOCK for change in self.changes)
        return counted and bool(self.is_update())


class PartImportResult(Result):
    """The result of an import, or of its dry run."""

    rows: list[PartRowResult]

    def append_invalid_row(self, number: int, row: Any, validation_error: Any) -> None:
        super().append_invalid_row(row[ROW], row, validation_error)

    @property
    def changed_rows(self) -> list[PartRowResult]:
        return [row for row in self.rows if row.changes]

    @property
    def stock_counts(self) -> int:
        """The number of rows that change the quantity of an existing part."""
        return sum(row.is_stock_count for row in self.rows)

    @property
    def rejections(self) -> list[str]:
        """The reasons why the file as a whole is rejected."""
        return [str(error.error) for error in self.base_errors]

    @property
    def is_valid(self) -> bool:
        return not self.has_errors() and not self.has_validation_errors()

    @property
    def fingerprint(self) -> str:
        """A digest of all changes, by which a changed plan is noticed."""
        plan = [
            [row.number, row.import_type]
            + [[each.column.column_name, each.old, each.new] for each in row.changes]
            for row in self.changed_rows
        ]
        return sha256(json.dumps(plan).encode()).hexdigest()


class PlanChanged(Exception):
    """The parts have changed since the user confirmed the plan."""

    def __init__(self, result: PartImportResult) -> None:
        super().__init__()
        self.result = result


class PrefetchedLoader(BaseInstanceLoader):
    """Return copies of the parts that were loaded before the first row."""

    def get_instance(self, row: dict[str, Any]) -> Part | None:
        known: Part | None = self.resource.known.get(part_key(row))
        return copy(known)


class PartResource(ModelResource):
    """Compare each row with its part, and write the differences through the services.

    :param user: the user who imports; every row needs their permissions
    :param confirmed: the fingerprint of the confirmed plan; None in a dry run
    """

    class Meta:
        model = Part
        fields = [column.attribute for column in COLUMNS]
        import_order = fields
        import_id_fields = ["part_number"]
        instance_loader_class = PrefetchedLoader
        clean_model_instances = True
        report_skipped = True
        skip_diff = True
        store_instance = True

    def __init__(self, *, user: User, confirmed: str | None = None) -> None:
        super().__init__()
        self.fields = {column.attribute: column for column in COLUMNS}
        self.user = user
        self.confirmed = confirmed

    @classmethod
    def get_result_class(cls) -> type[PartImportResult]:
        return PartImportResult

    @classmethod
    def get_row_result_class(cls) -> type[PartRowResult]:
        return PartRowResult

    # --- The file as a whole ----------------------------------------------------------

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        rows = dataset.dict
        self.first_row: dict[str, int] = {}
        for row in rows:
            self.first_row.setdefault(part_key(row), row[ROW])
        is_final = self.confirmed is not None
        self.known = load_parts(list(self.first_row), lock=is_final)
        self.missing = {
            code for code in PERMISSION_ERRORS if not self.user.has_perm(code)
        }
        self.rejections = list(self._missing_columns(dataset.headers))

    def _missing_columns(self, headers: list[str]) -> Iterator[str]:
        missing = [name for name in REQUIRED_FOR_NEW if name not in headers]
        unknown = [key for key in self.first_row if key and key not in self.known]
        if missing and unknown:
            yield (
                f"The file has new parts, the first is {unknown[0]} in row"
                f" {self.first_row[unknown[0]]}. For those, this column is missing:"
                f" {' and '.join(missing)}."
            )

    def after_import(self, dataset: Any, result: PartImportResult, **_: Any) -> None:
        """Report why the file is rejected, if it is.

        :raises PlanChanged: if these are not the confirmed changes
        """
        for sentence in dict.fromkeys(self.rejections):
            result.append_base_error(Error(ImportRejected(sentence)))
        is_as_confirmed = result.is_valid and result.fingerprint == self.confirmed
        if self.confirmed is not None and not is_as_confirmed:
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

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        key = part_key(row)
        first = self.first_row[key]
        if key and first != row[ROW]:
            raise ValidationError(
                {"part_number": f"This number is in row {first} already."}
            )

    def import_field(
        self, field: Any, instance: Part, row: Any, is_m2m: bool = False, **kwargs: Any
    ) -> None:
        """Keep an existing part's spelling of the number, and its line endings."""
        if field.attribute == "part_number" and instance.pk is not None:
            return
        before = getattr(instance, field.attribute)
        super().import_field(field, instance, row, is_m2m, **kwargs)
        if same_lines(before, getattr(instance, field.attribute)):
            setattr(instance, field.attribute, before)

    def skip_row(
        self,
        instance: Part,
        original: None,
        row: dict[str, Any],
        import_validation_errors: Any = None,
    ) -> bool:
        return not import_validation_errors and not self._changes(row, instance)

    def validate_instance(
        self,
        instance: Part,
        import_validation_errors: Any = None,
        validate_unique: bool = True,
    ) -> None:
        """Validate the fields; unique values were compared for all rows at once."""
        errors = dict(import_validation_errors or {})
        try:
            instance.full_clean(
                exclude=errors.keys(), validate_unique=False, validate_constraints=False
            )
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def save_instance(
        self, instance: Part, is_create: bool, row: dict[str, Any], **kwargs: Any
    ) -> None:
        """Write the differences, unless it is a dry run or a permission is missing."""
        names = [each.column.attribute for each in self._changes(row, instance)]
        needed = (
            {ADD} if is_create else {ADJUST if n == STOCK else CHANGE for n in names}
        )
        self.rejections += [
            PERMISSION_ERRORS[code] for code in sorted(needed & self.missing)
        ]
        if kwargs["dry_run"] or self.rejections:
            return
        values = {name: getattr(instance, name) for name in names}
        if is_create:
            instance.pk = services.add_part(by=self.user, **values).pk
        else:
            part = self.known[part_key(row)]
            services.update_part(part=part, by=self.user, **values)

    def after_import_row(
        self, row: dict[str, Any], row_result: PartRowResult, **kwargs: Any
    ) -> None:
        row_result.number = row[ROW]
        row_result.changes = self._changes(row, row_result.instance)

    def _changes(self, row: dict[str, Any], instance: Part) -> tuple[Change, ...]:
        """Return the cells that differ; for a new part all of them."""
        known = self.known.get(part_key(row))
        return tuple(
            Change(
                column, column.export(known) if known else "", column.export(instance)
            )
            for column in COLUMNS
            if known is None or column.get_value(known) != column.get_value(instance)
        )


def part_key(row: dict[str, Any]) -> str:
    """Return the part number in the form in which numbers are compared."""
    return str(row[COLUMNS[0].column_name]).strip().upper()


def same_lines(old: Any, new: Any) -> bool:
    """Return whether two texts differ at most in line endings, as in a workbook."""
    texts = isinstance(old, str) and isinstance(new, str)
    return texts and old.splitlines() == new.splitlines()


def load_parts(keys: list[str], *, lock: bool) -> dict[str, Part]:
    """Load the parts with these numbers; rows are locked in the order of ids."""
    pks: list[int] = []
    for start in range(0, len(keys), CHUNK_SIZE):
        some = keys[start : start + CHUNK_SIZE]
        pks += Part.objects.filter(part_number_key__in=some).values_list(
            "pk", flat=True
        )
    pks.sort()
    parts = Part.objects.select_for_update() if lock else Part.objects.all()
    return {
        part.part_number_key: part
        for start in range(0, len(pks), CHUNK_SIZE)
        for part in parts.filter(pk__in=pks[start : start + CHUNK_SIZE]).order_by("pk")
    }

"""What a spreadsheet of parts would change, and the services that change it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.results import Error, Result, RowResult

from inventory import services
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.core.money import format_cents

from .fields import COLUMNS, NEEDED_FOR_NEW, plain
from .readers import PartsDataset

KEYS_AT_ONCE = 500

ADD = "inventory.add_part"
CHANGE = "inventory.change_part"
ADJUST = "inventory.adjust_quantity"


class Refused(Exception):
    """A file that cannot be imported as a whole; the message says why."""


class PlanChanged(Exception):
    """The parts have changed since the person agreed to what the file would do."""


class PartRow(RowResult):
    """What became of one row: its number in the file, and what it changes."""

    number = 0

    def __init__(self) -> None:
        super().__init__()
        self.changes: dict[str, Change] = {}


class KnownParts(BaseInstanceLoader):
    """Hand out the parts that were read before the first row."""

    def get_instance(self, row: dict[str, str]) -> Part | None:
        part: Part | None = self.resource.known.get(key_of(row))
        return part


def key_of(row: dict[str, str]) -> str:
    return plain(row[COLUMNS[0].column_name].strip()).upper()


class PartResource(ModelResource):
    """Compare each row with its part. Nothing is written here."""

    class Meta:
        model = Part
        fields = [column.attribute for column in COLUMNS]
        import_order = fields
        import_id_fields = ["part_number"]
        instance_loader_class = KnownParts
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        skip_html_diff = True
        store_instance = True

    def __init__(self, *, user: User, lock: bool = False) -> None:
        super().__init__()
        self.fields = {column.attribute: column for column in COLUMNS}
        self.user = user
        self.lock = lock

    @classmethod
    def get_row_result_class(cls) -> type[PartRow]:
        return PartRow

    def import_data(self, *args: Any, **kwargs: Any) -> Result:
        """Compare; what the database says is not a fault of the file."""
        result: Result = super().import_data(*args, **kwargs)
        errors = [*result.base_errors, *(e for row in result.rows for e in row.errors)]
        for error in errors:
            if not isinstance(error.error, Refused):
                raise error.error
        return result

    def before_import(self, dataset: PartsDataset, **kwargs: Any) -> None:
        self.row_numbers = dataset.row_numbers
        keys = [key_of(row) for row in dataset.dict]
        self.first_row: dict[str, int] = {}
        for number, key in zip(dataset.row_numbers, keys, strict=True):
            self.first_row.setdefault(key, number)
        self.known = known_parts(list(self.first_row), lock=self.lock)
        self._refuse_new_parts_without_columns(dataset)

    def _refuse_new_parts_without_columns(self, dataset: PartsDataset) -> None:
        missing = [name for name in NEEDED_FOR_NEW if name not in dataset.headers]
        unknown = [key for key in self.first_row if key and key not in self.known]
        if missing and unknown:
            raise Refused(
                f"The file has new parts, the first is {unknown[0]} in row"
                f" {self.first_row[unknown[0]]}. For those, this column is missing:"
                f" {' and '.join(missing)}."
            )

    def before_import_row(self, row: dict[str, str], **kwargs: Any) -> None:
        number = self.row_numbers[kwargs["row_number"] - 1]
        first = self.first_row[key_of(row)]
        if key_of(row) and first != number:
            raise ValidationError(
                {"part_number": f"This number is in row {first} already."}
            )

    def import_field(
        self, field: Any, instance: Part, row: Any, is_m2m: bool = False, **kwargs: Any
    ) -> None:
        """Keep the spelling of a number that the shop knows, and how lines end."""
        if field.attribute == "part_number" and instance.pk is not None:
            return
        before = getattr(instance, field.attribute)
        super().import_field(field, instance, row, is_m2m, **kwargs)
        if same_lines(before, getattr(instance, field.attribute)):
            setattr(instance, field.attribute, before)

    def validate_instance(
        self,
        instance: Part,
        import_validation_errors: Any = None,
        validate_unique: bool = True,
    ) -> None:
        """Check the fields; what is unique was compared for all rows at once."""
        errors = dict(import_validation_errors or {})
        try:
            instance.full_clean(
                exclude=errors.keys(), validate_unique=False, validate_constraints=False
            )
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def save_instance(self, *args: Any, **kwargs: Any) -> None:
        """Leave the writing to ``carry_out``."""

    def after_import_row(self, row: Any, row_result: PartRow, **kwargs: Any) -> None:
        row_result.number = self.row_numbers[kwargs["row_number"] - 1]
        row_result.changes = changes_of(row_result)

    def after_import(self, dataset: Any, result: Result, **kwargs: Any) -> None:
        for row in result.invalid_rows:
            row.number = self.row_numbers[row.number - 1]
        for sentence in self._missing_rights(result):
            result.append_base_error(Error(Refused(sentence)))

    def _missing_rights(self, result: Result) -> Iterator[str]:
        changes = [set(row.changes) for row in result.rows if row.is_update()]
        if result.totals["new"] and not self.user.has_perm(ADD):
            yield "The file has new parts, and you may not add parts."
        if any(names - {STOCK} for names in changes) and not self.user.has_perm(CHANGE):
            yield "The file changes parts, and you may not change parts."
        if any(STOCK in names for names in changes) and not self.user.has_perm(ADJUST):
            yield "The file changes quantities, and you may not adjust the stock."


STOCK = "quantity_in_stock"


def same_lines(old: Any, new: Any) -> bool:
    """Tell texts apart by their words; a workbook has its own ends of lines."""
    texts = isinstance(old, str) and isinstance(new, str)
    return texts and old.splitlines() == new.splitlines()


def known_parts(keys: list[str], *, lock: bool) -> dict[str, Part]:
    """Read the parts with these numbers; locks go by id, as everywhere."""
    pks: list[int] = []
    for start in range(0, len(keys), KEYS_AT_ONCE):
        some = keys[start : start + KEYS_AT_ONCE]
        pks += Part.objects.filter(part_number_key__in=some).values_list(
            "pk", flat=True
        )
    pks.sort()
    parts = Part.objects.select_for_update() if lock else Part.objects.all()
    return {
        part.part_number_key: part
        for start in range(0, len(pks), KEYS_AT_ONCE)
        for part in parts.filter(pk__in=pks[start : start + KEYS_AT_ONCE]).order_by(
            "pk"
        )
    }


@dataclass(frozen=True)
class Change:
    """One cell that differs from what the shop has."""

    heading: str
    old: Any
    new: Any


def changes_of(row: PartRow) -> dict[str, Change]:
    """Name what differs; of a new part everything it begins with."""
    if row.is_skip() or row.instance is None:
        return {}
    changes = {}
    for column in COLUMNS:
        new = getattr(row.instance, column.attribute)
        old = getattr(row.original, column.attribute) if row.original else None
        if new != old:
            changes[column.attribute] = Change(column.column_name, old, new)
    return changes


def shown(name: str, value: Any) -> str:
    """Write a value the way a cell has it."""
    if value is None:
        return ""
    if name == "current_cost_cents":
        return format_cents(value)
    return {True: "yes", False: "no"}[value] if name == "is_active" else str(value)


def compare(dataset: PartsDataset, *, user: User, lock: bool = False) -> Result:
    """Find out what the rows of a file would add and change."""
    resource = PartResource(user=user, lock=lock)
    return resource.import_data(dataset, dry_run=True)


def fingerprint(result: Result) -> str:
    """Sum up what a file would do, to notice when that has become something else."""
    plan = [
        [row.number, row.import_type, *((c.heading, c.old, c.new) for c in changes)]
        for row in result.rows
        if (changes := row.changes.values())
    ]
    return sha256(json.dumps(plan, default=str).encode()).hexdigest()


@transaction.atomic
def carry_out(dataset: PartsDataset, *, by: User, agreed: str) -> Result:
    """Add and change the parts of a file, all of them or none.

    :raises PlanChanged: if that is not any more what the person agreed to
    """
    result = compare(dataset, user=by, lock=True)
    if result.has_errors() or result.has_validation_errors():
        raise PlanChanged
    if fingerprint(result) != agreed:
        raise PlanChanged
    for row in sorted(result.rows, key=lambda row: row.instance.pk or 0):
        write(row, by=by)
    return result


def write(row: PartRow, *, by: User) -> None:
    values = {name: change.new for name, change in row.changes.items()}
    if row.is_new():
        row.instance = services.add_part(by=by, **values)
    elif row.is_update():
        services.update_part(part=row.original, by=by, **values)

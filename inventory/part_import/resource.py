"""Import of parts: a row is known by its part number."""

from __future__ import annotations

from typing import Any, ClassVar

from inventory import services
from inventory.models import Part
from mechanic_shop.spreadsheets.resource import ImportResource, ImportResult, Row
from mechanic_shop.spreadsheets.tables import ROW

from .fields import COLUMNS, REQUIRED_FOR_NEW

CHUNK_SIZE = 500
ADD = "inventory.add_part"
CHANGE = "inventory.change_part"
ADJUST = "inventory.adjust_quantity"
STOCK = "quantity_in_stock"


class PartResource(ImportResource):
    columns = COLUMNS
    noun = ("part", "parts")
    required = ("Part number",)
    required_for_new = REQUIRED_FOR_NEW
    permission_errors: ClassVar = {
        ADD: "The file has new parts, and you may not add parts.",
        CHANGE: "The file changes parts, and you may not change parts.",
        ADJUST: "The file changes quantities, and you may not adjust the stock.",
    }

    class Meta(ImportResource.Meta):
        model = Part

    def match(self, rows: list[Row], *, lock: bool) -> dict[int, Any]:
        first_row: dict[str, int] = {}
        for row in rows:
            key = part_key(row)
            first = first_row.setdefault(key, row[ROW])
            if key and first != row[ROW]:
                self.mistakes[row[ROW]] = {
                    "part_number": f"This number is in row {first} already."
                }
        parts = load_parts(list(first_row), lock=lock)
        return {row[ROW]: parts[key] for row in rows if (key := part_key(row)) in parts}

    def describe_new(self, row: Row) -> str:
        return part_key(row)

    def import_field(
        self, field: Any, instance: Part, row: Row, is_m2m: bool = False, **kw: Any
    ) -> None:
        """Keep an existing part's spelling of the number."""
        if field.attribute != "part_number" or instance.pk is None:
            super().import_field(field, instance, row, is_m2m, **kw)

    def needed_permissions(self, *, is_new: bool, names: list[str]) -> set[str]:
        return {ADD} if is_new else {ADJUST if n == STOCK else CHANGE for n in names}

    def add(self, values: dict[str, Any], instance: Part) -> Part:
        return services.add_part(by=self.user, **values)

    def change(self, known: Part, values: dict[str, Any], instance: Part) -> None:
        services.update_part(part=known, by=self.user, **values)

    def title_of(self, instance: Part) -> tuple[str, str]:
        return instance.part_number, instance.name

    def count(self, result: ImportResult) -> list[tuple[str, int]]:
        new, changed, *others = super().count(result)
        return [new, changed, ("Stock counts", stock_counts(result)), *others]

    def summarize(self, result: ImportResult) -> str:
        totals = result.totals
        return (
            f"Import finished: {totals['new']:,} parts added, {totals['update']:,}"
            f" changed ({stock_counts(result):,} stock counts), {totals['skip']:,}"
            " unchanged."
        )


def stock_counts(result: ImportResult) -> int:
    """Return the number of rows that change the quantity of an existing part."""
    return sum(
        bool(row.is_update())
        and any(change.column.attribute == STOCK for change in row.changes)
        for row in result.rows
    )


def part_key(row: Row) -> str:
    """Return the part number in the form in which numbers are compared."""
    return str(row[COLUMNS[0].column_name]).strip().upper()


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

"""The columns of a spreadsheet of parts, and how their cells are parsed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from import_export.fields import Field
from import_export.widgets import Widget

from inventory.models import MAX_COST_CENTS
from mechanic_shop.core.money import format_cents

#: A spreadsheet takes such cells for formulas; an apostrophe before them marks text.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MARKED_TEXT = re.compile(r"'+[=+\-@\t\r]")
MAX_QUANTITY = 1_000_000

WHOLE_NUMBER = re.compile(r"[0-9]{1,10}")
AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2})?")
BOOLEAN_WORDS = {
    "yes": True,
    "y": True,
    "true": True,
    "1": True,
    "no": False,
    "n": False,
    "false": False,
    "0": False,
}


class Cell(Widget):
    """A cell; an empty one keeps the part's value, or a new part's default."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__()
        self.required = required

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = str(value or "").strip()
        if text:
            return self.read(text)
        if self.required:
            raise ValueError("This cell is empty.")
        return self.empty_value()

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)

    def read(self, text: str) -> Any:
        raise NotImplementedError

    def empty_value(self) -> Any:
        return None


class TextCell(Cell):
    """Text; an empty cell clears the field."""

    def read(self, text: str) -> str:
        if text.startswith(FORMULA_STARTS):
            raise ValueError(
                "This looks like a formula. If it is meant as text, put an"
                " apostrophe (') in front of it."
            )
        return strip_marker(text)

    def empty_value(self) -> str:
        return ""


def strip_marker(text: str) -> str:
    """Remove the apostrophe that an export puts before text like a formula."""
    return text[1:] if MARKED_TEXT.match(text) else text


class CategoryCell(TextCell):
    def empty_value(self) -> None:  # type: ignore[override]
        return None


class WholeNumberCell(Cell):
    def read(self, text: str) -> int:
        if not WHOLE_NUMBER.fullmatch(text):
            raise ValueError("Write a whole number, zero or more, without separators.")
        number = int(text)
        if number > MAX_QUANTITY:
            raise ValueError(f"Write at most {MAX_QUANTITY}.")
        return number


class AmountCell(Cell):
    """Money in whole currency units, kept in cents."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return format_cents(value or 0)

    def read(self, text: str) -> int:
        if not AMOUNT.fullmatch(text):
            raise ValueError(
                "Write an amount like 12.50: a point, and no more than two digits"
                " after it."
            )
        cents = int(Decimal(text) * 100)
        if cents > MAX_COST_CENTS:
            raise ValueError(f"Write at most {MAX_COST_CENTS // 100}.")
        return cents


class BooleanCell(Cell):
    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "yes" if value else "no"

    def read(self, text: str) -> bool:
        if text.casefold() not in BOOLEAN_WORDS:
            raise ValueError("Write yes or no.")
        return BOOLEAN_WORDS[text.casefold()]


class Column(Field):
    """A column, with the example and the hint that the import page shows."""

    def __init__(
        self, name: str, heading: str, widget: Cell, example: Any, hint: str
    ) -> None:
        super().__init__(
            attribute=name, column_name=heading, widget=widget, saves_null_values=False
        )
        self.example = example
        self.hint = hint


COLUMNS = (
    Column(
        "part_number",
        "Part number",
        TextCell(required=True),
        "EXAMPLE-1",
        "Required. A number the shop knows changes that part; case does not matter.",
    ),
    Column(
        "name",
        "Name",
        TextCell(required=True),
        "Front brake pads",
        "Required for new parts.",
    ),
    Column(
        "description", "Description", TextCell(), "Ceramic, set of four", "Any text."
    ),
    Column(
        "category",
        "Category",
        CategoryCell(),
        "Brakes",
        "Any text. Empty: stays as it is, General for a new part.",
    ),
    Column("manufacturer", "Manufacturer", TextCell(), "Stoppard", "Any text."),
    Column("supplier", "Supplier", TextCell(), "Halden Friction Supply", "Any text."),
    Column(
        "current_cost_cents",
        "Cost",
        AmountCell(required=True),
        Decimal("34.50"),
        "Required for new parts. Purchase price of one unit, like 12.50.",
    ),
    Column(
        "quantity_in_stock",
        "Quantity in stock",
        WholeNumberCell(),
        12,
        "Whole number. Another one than today's is booked as a stock count.",
    ),
    Column(
        "reorder_level",
        "Reorder level",
        WholeNumberCell(),
        4,
        "Whole number. Empty: stays as it is, 5 for a new part.",
    ),
    Column(
        "is_active", "Active", BooleanCell(), True, "yes or no. Empty: stays, or yes."
    ),
)
HEADINGS = [column.column_name for column in COLUMNS]
#: The columns that a file with new parts must have.
REQUIRED_FOR_NEW = ("Name", "Cost")

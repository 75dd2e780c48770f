"""The columns of a spreadsheet of parts, and what may stand in their cells."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from import_export.fields import Field
from import_export.widgets import Widget

from inventory.models import MAX_COST_CENTS
from mechanic_shop.core.money import format_cents

#: What a spreadsheet computes. An apostrophe before it makes it a text.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
MARKED = re.compile(r"'+[=+\-@\t\r]")
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
    """A cell; an empty one leaves the part as it is, or as a new one begins."""

    def __init__(self, *, needed: bool = False) -> None:
        super().__init__()
        self.needed = needed

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = str(value or "").strip()
        if text:
            return self.read(text)
        if self.needed:
            raise ValueError("This cell is empty.")
        return self.without_text()

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)

    def read(self, text: str) -> Any:
        raise NotImplementedError

    def without_text(self) -> Any:
        return None


class TextCell(Cell):
    """Words; an empty cell empties what was there."""

    def read(self, text: str) -> str:
        if text.startswith(FORMULA_STARTS):
            raise ValueError(
                "This looks like a formula. If it is meant as text, put an"
                " apostrophe (') in front of it."
            )
        return plain(text)

    def without_text(self) -> str:
        return ""


def plain(text: str) -> str:
    """Take away the apostrophe that an export puts before such texts."""
    return text[1:] if MARKED.match(text) else text


class CategoryCell(TextCell):
    def without_text(self) -> None:  # type: ignore[override]
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
    """A column, with what the page of the import says about it."""

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
        TextCell(needed=True),
        "EXAMPLE-1",
        "Required. A number the shop knows changes that part; case does not matter.",
    ),
    Column(
        "name",
        "Name",
        TextCell(needed=True),
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
        AmountCell(needed=True),
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
#: Columns without which there can be no new part.
NEEDED_FOR_NEW = ("Name", "Cost")

"""Columns of an import, and how their cells are parsed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from import_export.fields import Field
from import_export.widgets import Widget

from mechanic_shop.core.money import format_cents

from .cells import Cell

WHOLE_NUMBER = re.compile(r"[0-9]{1,10}")
AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,2})?")
#: Amounts as they are written where the comma is the decimal separator.
COMMA_AMOUNT = re.compile(
    r"([0-9]{1,10}|[0-9]{1,3}([.'\u00a0\u202f ][0-9]{3})+),[0-9]{1,2}"
)
GROUPED_AMOUNT = re.compile(r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]{1,2}")
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


class CellWidget(Widget):
    """A cell; an empty one keeps the row's value, or a new row's default."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__()
        self.required = required

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        cell = value if isinstance(value, Cell) else Cell(value or "")
        if cell.problem:
            raise ValueError(cell.problem)
        if cell.strip():
            return self.read(cell)
        if self.required:
            raise ValueError("This cell is empty.")
        return self.empty_value()

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)

    def read(self, cell: Cell) -> Any:
        raise NotImplementedError

    def empty_value(self) -> Any:
        return None


class TextWidget(CellWidget):
    """Text in one line; an empty cell clears the field."""

    def read(self, cell: Cell) -> str:
        if cell.text_problem:
            raise ValueError(cell.text_problem)
        # A pattern for the blanks, too, would begin anew at each one of them.
        lines = re.split(r"[\r\n]+", cell)
        return " ".join(filter(None, map(str.strip, lines)))

    def empty_value(self) -> str | None:
        return ""


class LinesWidget(TextWidget):
    """Text that may have several lines."""

    def read(self, cell: Cell) -> str:
        if cell.text_problem:
            raise ValueError(cell.text_problem)
        return cell.strip()


class KeptTextWidget(TextWidget):
    """Text; an empty cell keeps the row's value."""

    def empty_value(self) -> None:
        return None


class WholeNumberWidget(CellWidget):
    def __init__(self, *, maximum: int, required: bool = False) -> None:
        super().__init__(required=required)
        self.maximum = maximum

    def read(self, cell: Cell) -> int:
        text = cell.strip()
        if not WHOLE_NUMBER.fullmatch(text):
            raise ValueError("Write a whole number, zero or more, without separators.")
        if int(text) > self.maximum:
            raise ValueError(f"Write at most {self.maximum}.")
        return int(text)


class AmountWidget(CellWidget):
    """Money in whole currency units, kept in cents."""

    def __init__(self, *, max_cents: int, required: bool = False) -> None:
        super().__init__(required=required)
        self.max_cents = max_cents

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return format_cents(value or 0)

    def read(self, cell: Cell) -> int:
        text = _with_point(cell.strip(), has_decimal_comma=cell.has_decimal_comma)
        if not AMOUNT.fullmatch(text):
            raise ValueError(
                "Write an amount like 12.50: a point, and no more than two digits"
                " after it."
            )
        cents = int(Decimal(text) * 100)
        if cents > self.max_cents:
            raise ValueError(f"Write at most {self.max_cents // 100}.")
        return cents


def _with_point(text: str, *, has_decimal_comma: bool) -> str:
    """Write an amount with a decimal point, if it can be read in one way only."""
    if has_decimal_comma and COMMA_AMOUNT.fullmatch(text):
        return re.sub(r"[^0-9,]", "", text).replace(",", ".")
    return text.replace(",", "") if GROUPED_AMOUNT.fullmatch(text) else text


class BooleanWidget(CellWidget):
    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "yes" if value else "no"

    def read(self, cell: Cell) -> bool:
        word = cell.strip().casefold()
        if word not in BOOLEAN_WORDS:
            raise ValueError("Write yes or no.")
        return BOOLEAN_WORDS[word]


class Column(Field):
    """A column, with the example and the hint that the import page shows.

    :param is_title: whether a plan names new rows by it
    :param is_reference: whether it only says which row is meant, or is for reading;
        the resource decides what it means
    """

    def __init__(
        self,
        name: str,
        heading: str,
        widget: CellWidget,
        example: Any,
        hint: str,
        *,
        is_title: bool = False,
        is_reference: bool = False,
    ) -> None:
        super().__init__(
            attribute=name, column_name=heading, widget=widget, saves_null_values=False
        )
        self.example = example
        self.hint = hint
        self.is_title = is_title
        self.is_reference = is_reference

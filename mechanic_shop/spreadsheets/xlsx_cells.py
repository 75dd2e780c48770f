"""Turn a cell of a workbook into the text that its author meant."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from openpyxl.utils.datetime import from_excel  # type: ignore[import-untyped]

from .cells import Cell
from .number_formats import GENERAL, is_date, is_disguise, with_leading_zeros

#: Every whole number up to here has a floating-point number of its own (IEEE 754).
EXACT = 2**53
#: Excel keeps so many digits of a typed number and writes zeros for the others.
EXCEL_DIGITS = 15
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")

ERROR = "The cell holds an error value of the spreadsheet."
DATE = (
    "The cell holds a date. If it is none, format the cell as text and write it once"
    " more."
)
NO_RESULT = (
    "The cell holds a formula without its result. Open the file in a spreadsheet"
    " program and save it there."
)
NO_NUMBER = "The cell holds no number that can be read."
SHORTENED = (
    "The number has lost digits: a spreadsheet keeps 15 of them. Format the cell as"
    " text and write it once more."
)
DISGUISED = "The cell shows its number in another way. Format the cell as text."
TRUTH = "The cell holds TRUE or FALSE. Format the cell as text and write it once more."


def unescape(text: str) -> str:
    """Decode ``_x000D_`` and the like: ECMA-376, part 1, 22.9.2.19."""
    text = _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def escape(text: str) -> str:
    """Write text so that ``unescape`` gives it back."""
    return _ESCAPE.sub(r"_x005F\g<0>", text)


def number_cell(value: str, code: str) -> Cell:
    """Read a number; ``code`` is the cell's number format."""
    try:
        number = Decimal(value)
        float(number)
    except (InvalidOperation, OverflowError):
        return Cell.unreadable(value, NO_NUMBER)
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return Cell.unreadable(value, NO_NUMBER)
    if is_date(code):
        return Cell.unreadable(_date_text(number), DATE)
    if number == number.to_integral_value():
        return _whole_number(int(number), code)
    text = _fraction_text(number)
    return Cell.no_text(text, DISGUISED) if is_disguise(code) else Cell(text)


def _whole_number(number: int, code: str) -> Cell:
    digits = str(number)
    if is_disguise(code):
        return Cell.no_text(digits, DISGUISED)
    is_cut = len(digits) > EXCEL_DIGITS and not digits[EXCEL_DIGITS:].strip("0")
    if abs(number) >= EXACT or is_cut:
        return Cell.no_text(digits, SHORTENED)
    if number < 0 or code == GENERAL:
        return Cell(digits)
    padded = with_leading_zeros(digits, code)
    return Cell(padded)


def _fraction_text(number: Decimal) -> str:
    """Write a number with the 15 digits that are no noise of binary fractions."""
    rounded = Decimal(f"{float(number):.{EXCEL_DIGITS}g}")
    return f"{rounded.normalize():f}"


def _date_text(number: Decimal) -> str:
    try:
        return str(from_excel(float(number)).isoformat()).removesuffix("T00:00:00")
    except (ValueError, OverflowError, AttributeError):
        return str(number)

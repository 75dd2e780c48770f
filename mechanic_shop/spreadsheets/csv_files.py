"""Read a text file with commas, semicolons or tabs between its cells."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from .cells import Cell, Limits, Row, UnreadableFile
from .formulas import FORMULA, LIKE_A_FORMULA, unmark

NO_CSV = "This is not a CSV file. Save the table as “CSV UTF-8” or as .xlsx."
#: How Excel shows a long number; the digits it left out are lost in a CSV file.
SHORTENED = re.compile(r"[+-]?[0-9]([.,][0-9]+)?E\+[0-9]{2,3}")
LOST_DIGITS = (
    "A spreadsheet has shortened this number. Format the cells as text before you save"
    " the file."
)
#: The first line with which a file tells Excel what parts its cells.
SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?\r?\n", re.IGNORECASE)


def read_csv(content: bytes, limits: Limits) -> Iterator[Row]:
    """Give the rows of a file; they are numbered as a spreadsheet numbers them.

    :raises UnreadableFile: if it is no text in UTF-8, or a quotation mark is not closed
    """
    text = _decode(content)
    if "\0" in text:
        raise UnreadableFile(NO_CSV)
    delimiter = _guess_delimiter(text)
    if told := SEPARATOR_LINE.match(text):
        delimiter, text = told.group(1), text[told.end() :]
    if delimiter in "\"'\r\n" or delimiter.isalnum():
        raise UnreadableFile(NO_CSV)
    for number, cells in _split(text, delimiter):
        yield Row(number, [_cell(each, delimiter) for each in cells])


def _split(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    # Strict, or a quotation mark that nobody closes takes all rows into one cell.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for number, cells in enumerate(reader, start=1):
            yield number, cells
            number += 1
    except csv.Error as error:
        raise UnreadableFile(
            f"Row {number} has a quotation mark that is not closed, or one too many."
            " Within a quoted cell each quotation mark is written twice."
        ) from error


def _cell(text: str, delimiter: str) -> Cell:
    stripped = text.strip()
    cell = Cell(unmark(text) if stripped[:1] == "'" else text)
    cell.has_decimal_comma = delimiter != ","
    if SHORTENED.fullmatch(stripped):
        cell.text_problem = LOST_DIGITS
    elif FORMULA.match(stripped):
        cell.text_problem = LIKE_A_FORMULA
    return cell


def _decode(content: bytes) -> str:
    if content.startswith(b"PK\3\4"):
        raise UnreadableFile(
            "The name says CSV, the content is an Excel workbook. Rename the file so"
            " that it ends in .xlsx."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            "The file is not encoded in UTF-8, so that letters beyond A to Z would be"
            " wrong. Save it as “CSV UTF-8” or as .xlsx."
        ) from error


def _guess_delimiter(text: str) -> str:
    """Guess the delimiter from the headings; many locales write ``;``."""
    first = text.lstrip().split("\n", 1)[0]
    return max(",;\t", key=first.count)

"""Read a spreadsheet of parts, or raise an error that a user understands."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any

import tablib  # type: ignore[import-untyped]
from import_export.formats.base_formats import CSV, XLSX
from openpyxl import load_workbook  # type: ignore[import-untyped]

from .fields import HEADINGS

MAX_FILE_BYTES = 5 * 1024 * 1024
#: The largest size of an unpacked workbook.
MAX_UNPACKED_BYTES = 50 * 1024 * 1024
MAX_ROWS = 2_000
MAX_COLUMNS = 50
#: The data set's own column with the row numbers of the file. No file can contain it,
#: because unknown headings are rejected.
ROW = "row number"

NumberedCells = tuple[int, list[str]]


class UnreadableFile(Exception):
    """The file is no readable spreadsheet of parts; the message says why."""


class PartsCSV(CSV):
    """Text with commas, semicolons or tabs between the cells."""

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> tablib.Dataset:
        text = _decode(in_stream)
        if "\0" in text:
            raise UnreadableFile(NO_CSV)
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=_find_delimiter(text)
        )
        try:
            return build_dataset(enumerate(reader, start=1))
        except csv.Error as error:
            raise UnreadableFile(NO_CSV) from error

    def get_read_mode(self) -> str:
        return "rb"

    def is_binary(self) -> bool:
        """Read bytes, so that a wrong encoding is noticed here."""
        return True


class PartsXLSX(XLSX):
    """The first sheet of a workbook."""

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> tablib.Dataset:
        _reject_zip_bombs(in_stream)
        try:
            book = load_workbook(io.BytesIO(in_stream), read_only=True)
            rows = book.worksheets[0].iter_rows(values_only=True)
        except Exception as error:
            raise UnreadableFile(NO_WORKBOOK) from error
        return build_dataset(
            (number, [_cell_text(cell) for cell in cells[: MAX_COLUMNS + 1]])
            for number, cells in enumerate(rows, start=1)
        )


NO_CSV = "This is not a CSV file. Save the table as “CSV UTF-8” or as .xlsx."
NO_WORKBOOK = (
    "This is not an Excel workbook (.xlsx), or it is damaged. Save the table again as"
    " .xlsx or as “CSV UTF-8”."
)


def _decode(content: bytes | str) -> str:
    if isinstance(content, str):
        return content
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


def _find_delimiter(text: str) -> str:
    """Guess the delimiter from the headings; many locales write ``;``."""
    first = text.lstrip().split("\n", 1)[0]
    return max(",;\t", key=first.count)


def _reject_zip_bombs(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(member.file_size for member in packed.infolist())
    except zipfile.BadZipFile as error:
        raise UnreadableFile(NO_WORKBOOK) from error
    if size > MAX_UNPACKED_BYTES:
        raise UnreadableFile(
            "The workbook is too large. Keep only the sheet with the parts."
        )


def _cell_text(cell: Any) -> str:
    """Return a workbook's cell as text, as a CSV file would contain it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        # More digits than these are noise of binary fractions.
        return f"{cell:.12g}"
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, str | int) else f"={cell}"


def build_dataset(rows: Iterable[Any]) -> tablib.Dataset:
    """Collect the rows that are not empty, each with its row number in the file.

    :raises UnreadableFile: if headings are missing, unknown or duplicated, or if there
        are too many rows or none
    """
    filled = _non_empty_rows(rows)
    _, headings = next(filled, (0, []))
    known = _check_headings(headings)
    dataset = tablib.Dataset(headers=[ROW, *known])
    for number, cells in filled:
        if len(dataset) == MAX_ROWS:
            raise UnreadableFile(
                f"The file has more than {MAX_ROWS:,} rows. Split it into several."
            )
        dataset.append([number, *_pad_row(number, cells, len(known))])
    if not len(dataset):
        raise UnreadableFile("The file has headings and no rows below them.")
    return dataset


def _non_empty_rows(rows: Iterable[Any]) -> Iterator[NumberedCells]:
    for number, cells in rows:
        if any(cell.strip() for cell in cells):
            yield number, cells


def _pad_row(number: int, cells: list[str], width: int) -> list[str]:
    """Return a row with as many cells as there are headings."""
    if any(cell.strip() for cell in cells[width:]):
        raise UnreadableFile(
            f"Row {number} has more cells than there are headings. Perhaps a text with"
            " a comma lacks its quotation marks."
        )
    return [*cells[:width], *[""] * (width - len(cells))]


def _check_headings(headings: list[str]) -> list[str]:
    while headings and not headings[-1].strip():
        headings = headings[:-1]
    if not headings:
        raise UnreadableFile("The file is empty.")
    names = {_normalize_heading(heading): heading for heading in HEADINGS}
    if unknown := [name for name in headings if _normalize_heading(name) not in names]:
        raise UnreadableFile(
            f"{_name_columns(unknown)} not known. Known are: {', '.join(HEADINGS)}."
        )
    known = [names[_normalize_heading(heading)] for heading in headings]
    if doubled := [name for name in HEADINGS if known.count(name) > 1]:
        raise UnreadableFile(f"{_name_columns(doubled)} there more than once.")
    if HEADINGS[0] not in known:
        raise UnreadableFile(f"The column “{HEADINGS[0]}” is missing.")
    return known


def _normalize_heading(heading: str) -> str:
    return re.sub(r"[\s_]+", " ", heading).strip().casefold()


def _name_columns(names: list[str]) -> str:
    quoted = ", ".join(f"“{name.strip()[:40] or 'without a name'}”" for name in names)
    return f"The column {quoted} is" if len(names) == 1 else f"The columns {quoted} are"

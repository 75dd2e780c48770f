"""A table with known headings, from the rows of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import tablib  # type: ignore[import-untyped]

from .cells import LARGE, Cell, Limits, Row, RowCounter, UnreadableFile
from .csv_files import read_csv
from .workbooks import read_workbook

#: The data set's own column with the row numbers of the file. No file can contain it,
#: because unknown headings are rejected.
ROW = "row number"

READERS = {".csv": read_csv, ".xlsx": read_workbook}


def read_table(
    content: bytes,
    suffix: str,
    headings: Sequence[str],
    required: Sequence[str] = (),
    limits: Limits = LARGE,
) -> tablib.Dataset:
    """Collect the rows that are not empty, each with its row number in the file.

    :param suffix: how the file's name ends, a key of ``READERS``
    :param headings: those of the columns that a file may have
    :param required: those that it must have
    :raises UnreadableFile: if it is no table, if headings are missing, unknown or
        duplicated, or if there are no rows
    :raises OverLimit: if there is more than ``limits``
    """
    counter = RowCounter(limits)
    filled = filter(counter.count, READERS[suffix](content, limits))
    first = next(filled, Row(0, []))
    known = _check_headings(first.cells, headings, required)
    dataset = tablib.Dataset(headers=[ROW, *known])
    for row in filled:
        dataset.append([row.number, *_pad(row, len(known))])
    if not len(dataset):
        raise UnreadableFile("The file has headings and no rows below them.")
    return dataset


def _pad(row: Row, width: int) -> list[Any]:
    """Return a row with as many cells as there are headings."""
    if any(cell.strip() for cell in row.cells[width:]):
        raise UnreadableFile(
            f"Row {row.number} has more cells than there are headings. Perhaps a text"
            " with a comma lacks its quotation marks."
        )
    return [*row.cells[:width], *[Cell()] * (width - len(row.cells))]


def _check_headings(
    found: Sequence[str], headings: Sequence[str], required: Sequence[str]
) -> list[str]:
    found = list(found)
    while found and not found[-1].strip():
        found.pop()
    if not found:
        raise UnreadableFile("The file is empty.")
    names = {_normalize(heading): heading for heading in headings}
    if unknown := [name for name in found if _normalize(name) not in names]:
        raise UnreadableFile(
            f"{_name_columns(unknown)} not known. Known are: {', '.join(headings)}."
        )
    known = [names[_normalize(name)] for name in found]
    if doubled := [name for name in headings if known.count(name) > 1]:
        raise UnreadableFile(f"{_name_columns(doubled)} there more than once.")
    if missing := [name for name in required if name not in known]:
        raise UnreadableFile(f"The column “{missing[0]}” is missing.")
    return known


def _normalize(heading: str) -> str:
    return re.sub(r"[\s_]+", " ", heading).strip().casefold()


def _name_columns(names: list[str]) -> str:
    quoted = ", ".join(f"“{name.strip()[:40] or 'without a name'}”" for name in names)
    return f"The column {quoted} is" if len(names) == 1 else f"The columns {quoted} are"

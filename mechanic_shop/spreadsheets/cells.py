"""What is read from a spreadsheet: rows of cells, within limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, Self

MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_COLUMNS = 50
#: The most rows that Excel's sheets have; https://support.microsoft.com/office/1672b34d.
LAST_ROW = 1_048_576


@dataclass(frozen=True)
class Limits:
    """The most that is read of a file.

    :ivar rows: rows with text below the headings
    :ivar empty_rows: those of a sheet may be formatted to its end
    :ivar characters: of all cells together. A workbook stores each text once, and many
        cells can refer to it.
    :ivar unpacked_bytes: of all parts of a workbook that are read
    :ivar elements: XML elements of each part; a cell with a formula has three
    """

    rows: int
    empty_rows: int
    characters: int
    unpacked_bytes: int
    elements: int


#: What a request reads itself, in a second or two; a worker reads the rest.
SMALL = Limits(
    rows=2_000,
    empty_rows=5_000,
    characters=3_000_000,
    unpacked_bytes=15 * 1024 * 1024,
    elements=300_000,
)
LARGE = Limits(
    rows=20_000,
    empty_rows=50_000,
    characters=20_000_000,
    unpacked_bytes=50 * 1024 * 1024,
    elements=2_500_000,
)


#: XML 1.0 has none of these, so that no workbook can hold them.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def without_control_characters(text: str) -> str:
    return _CONTROL_CHARACTERS.sub("", text)


class UnreadableFile(Exception):
    """The file is no readable spreadsheet; the message says why."""


class OverLimit(UnreadableFile):
    """There is more in the file than one of the limits that it was read with."""


class Cell(str):
    """A cell's text, and what a column has to know to read it as it was meant.

    :ivar problem: why no column can take the cell
    :ivar text_problem: why a column of text cannot take it
    :ivar has_decimal_comma: whether the file may write ``7,95``
    """

    problem: str = ""
    text_problem: str = ""
    has_decimal_comma: bool = False

    @classmethod
    def unreadable(cls, text: str, problem: str) -> Self:
        cell = cls(text)
        cell.problem = problem
        return cell

    @classmethod
    def no_text(cls, text: str, text_problem: str) -> Self:
        cell = cls(text)
        cell.text_problem = text_problem
        return cell


class Row(NamedTuple):
    number: int
    cells: list[Cell]


class RowCounter:
    """Count what is read of one file, whatever is in it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.empty_rows = self.rows = self.characters = 0

    def count(self, row: Row) -> bool:
        """Return whether the row has text; the first one with text are the headings.

        :raises UnreadableFile: if no sheet has such a row
        :raises OverLimit: if there is too much
        """
        if row.number > LAST_ROW:
            raise UnreadableFile(
                f"The file names row {row.number}; a sheet has at most {LAST_ROW:,}."
            )
        self.characters += sum(map(len, row.cells))
        has_text = any(cell.strip() or cell.problem for cell in row.cells)
        self.rows += has_text
        self.empty_rows += not has_text
        self._check()
        return has_text

    def _check(self) -> None:
        limits = self.limits
        if self.characters > limits.characters:
            raise OverLimit(
                "There is too much text in the file. Split it into several."
            )
        if self.rows > limits.rows + 1:
            raise OverLimit(
                f"The file has more than {limits.rows:,} rows. Split it into several."
            )
        if self.empty_rows > limits.empty_rows:
            raise OverLimit(
                f"The file has more than {limits.empty_rows:,} empty rows. Delete them."
            )

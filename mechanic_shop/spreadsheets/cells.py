"""What is read from a spreadsheet: rows of cells, within limits."""

from __future__ import annotations

import re
from typing import NamedTuple, Self

MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_ROWS = 2_000
MAX_COLUMNS = 50
#: The most rows that Excel's sheets have; https://support.microsoft.com/office/1672b34d.
LAST_ROW = 1_048_576
#: The most empty rows that are skipped: those of a sheet may be formatted to its end.
MAX_EMPTY_ROWS = 50_000
#: The most characters of all cells together. A workbook stores each text once, and many
#: cells can refer to it.
MAX_CHARACTERS = 20_000_000


#: XML 1.0 has none of these, so that no workbook can hold them.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def without_control_characters(text: str) -> str:
    return _CONTROL_CHARACTERS.sub("", text)


class UnreadableFile(Exception):
    """The file is no readable spreadsheet; the message says why."""


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


class Limits:
    """Count what is read of one file, whatever is in it.

    Every method raises ``UnreadableFile`` when there is too much.
    """

    def __init__(self) -> None:
        self.empty_rows = 0
        self.rows = 0
        self.characters = 0

    def count_row(self, row: Row) -> bool:
        """Return whether the row has text; the first one with text are the headings."""
        if row.number > LAST_ROW:
            raise UnreadableFile(
                f"The file names row {row.number}; a sheet has at most {LAST_ROW:,}."
            )
        self.characters += sum(map(len, row.cells))
        if self.characters > MAX_CHARACTERS:
            raise UnreadableFile(
                "There is too much text in the file. Split it into several."
            )
        if any(cell.strip() for cell in row.cells):
            self._count_filled()
            return True
        self.empty_rows += 1
        if self.empty_rows > MAX_EMPTY_ROWS:
            raise UnreadableFile(
                f"The file has more than {MAX_EMPTY_ROWS:,} empty rows. Delete them."
            )
        return False

    def _count_filled(self) -> None:
        self.rows += 1
        if self.rows > MAX_ROWS + 1:
            raise UnreadableFile(
                f"The file has more than {MAX_ROWS:,} rows. Split it into several."
            )

"""Read the first sheet of an Excel workbook (.xlsx, ECMA-376)."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from posixpath import dirname, join, normpath

from . import xlsx_cells
from .cells import MAX_COLUMNS, Cell, Limits, OverLimit, Row, UnreadableFile
from .number_formats import GENERAL, code_of
from .xml_parts import DAMAGED, TOO_LARGE, PartReader

MAX_TEXT = 32_767
#: The longest code that Excel lets a user write is shorter.
MAX_FORMAT = 300
_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,12})")
_NUMBER = re.compile(r"[0-9]{1,12}")


def read_workbook(content: bytes, limits: Limits) -> Iterator[Row]:
    """Give the rows of the first sheet that is visible, as they are read.

    :raises UnreadableFile: if it is no workbook, or none that a program writes
    :raises OverLimit: if it is larger than ``limits``
    """
    with _damage_reported(), zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = Parts(archive, limits)
        sheet_path, paths = parts.find()
        texts = SharedTexts()
        parts.read(texts, paths.get("sharedStrings"))
        formats = Formats()
        parts.read(formats, paths.get("styles"))
        sheet = Sheet(texts.found, formats)
        with parts.open(sheet_path) as part:
            for _ in sheet.pieces(part, limits.elements):
                yield from sheet.take_rows()


@contextmanager
def _damage_reported() -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise UnreadableFile(DAMAGED) from error


class Parts:
    """The parts of a workbook; together they may not be too large."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self.archive = archive
        self.bytes_left = limits.unpacked_bytes
        self.max_elements = limits.elements

    def open(self, path: str) -> zipfile.ZipExtFile:
        """Open a part. zipfile gives no more bytes than the part is said to have."""
        part = self.archive.getinfo(path)
        self.bytes_left -= part.file_size
        if self.bytes_left < 0:
            raise OverLimit(TOO_LARGE)
        return self.archive.open(part)  # type: ignore[return-value]

    def read(self, reader: PartReader, path: str | None) -> None:
        if path:
            with self.open(path) as part:
                reader.read(part, self.max_elements)

    def find(self) -> tuple[str, dict[str, str]]:
        """Return the path of the sheet, and those of the workbook's other parts."""
        package = Relations("")
        self.read(package, "_rels/.rels")
        [book_path] = [path for kind, path in package.found if kind == "officeDocument"]
        related = Relations(dirname(book_path))
        self.read(
            related, join(dirname(book_path), "_rels", f"{_name(book_path)}.rels")
        )
        book = Workbook()
        self.read(book, book_path)
        by_id = related.by_id
        for relation in book.visible_sheets:
            kind, path = by_id[relation]
            if kind == "worksheet":
                return path, dict(related.found)
        raise UnreadableFile(DAMAGED)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


class Relations(PartReader):
    """Which part is what: ECMA-376, part 2, 6.5."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = folder
        self.by_id: dict[str, tuple[str, str]] = {}

    @property
    def found(self) -> list[tuple[str, str]]:
        return list(self.by_id.values())

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes["Target"]
            path = target[1:] if target[:1] == "/" else join(self.folder, target)
            self.by_id[attributes["Id"]] = _name(attributes["Type"]), normpath(path)


class Workbook(PartReader):
    """The sheets, in the order of their tabs."""

    def __init__(self) -> None:
        super().__init__()
        self.visible_sheets: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet" and attributes.get("state", "visible") == "visible":
            [relation] = [
                value for key, value in attributes.items() if key[-3:] == ":id"
            ]
            self.visible_sheets.append(relation)

    def end(self, name: str) -> None:
        self.is_done = name == "sheets"


class TextReader(PartReader):
    """Collect the text of ``t`` elements; how Japanese is pronounced is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[str] = []
        self.length = 0
        self.collects = self.is_phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "rPh":
            self.is_phonetic = True
        self.collects = name == "t" and not self.is_phonetic

    def text(self, text: str) -> None:
        if self.collects:
            self.length += len(text)
            if self.length > MAX_TEXT:
                raise UnreadableFile(
                    f"A cell has more than {MAX_TEXT:,} characters, the most of Excel."
                )
            self.letters.append(text)

    def end(self, name: str) -> None:
        self.collects = False
        if name == "rPh":
            self.is_phonetic = False

    def take_text(self) -> str:
        text = "".join(self.letters)
        self.letters, self.length = [], 0
        return text


class SharedTexts(TextReader):
    """The texts that cells refer to by number."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def end(self, name: str) -> None:
        super().end(name)
        if name == "si":
            self.found.append(xlsx_cells.unescape(self.take_text()))


class Formats(PartReader):
    """The number format of each style of a cell."""

    def __init__(self) -> None:
        super().__init__()
        self.custom: dict[int, str] = {}
        self.numbers: list[int] = []
        self.section = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in {"numFmts", "cellXfs", "dxfs", "cellStyleXfs"}:
            self.section = name
        elif name == "numFmt" and self.section == "numFmts":
            code = attributes.get("formatCode", GENERAL)
            number = whole_number(attributes["numFmtId"])
            self.custom[number] = code if len(code) <= MAX_FORMAT else GENERAL
        elif name == "xf" and self.section == "cellXfs":
            self.numbers.append(whole_number(attributes.get("numFmtId", "0")))

    def code(self, style: str) -> str:
        if not self.numbers:
            return GENERAL
        return code_of(self.numbers[whole_number(style)], self.custom)


class Sheet(TextReader):
    """The rows of a sheet. What it says about its own size is not believed."""

    def __init__(self, texts: list[str], formats: Formats) -> None:
        super().__init__()
        self.texts, self.formats = texts, formats
        self.rows: list[Row] = []
        self.row_number = self.column = 0
        self.cells: list[Cell] = []
        self.kind = self.style = ""
        self.has_formula = self.has_value = False

    def take_rows(self) -> list[Row]:
        rows, self.rows = self.rows, []
        return rows

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        if name == "c":
            self._start_cell(attributes)
        elif name == "v":
            self.collects = self.has_value = True
        elif name == "f":
            self.has_formula = True
        elif name == "row":
            self._start_row(attributes)
        elif name == "mergeCell":
            raise UnreadableFile(
                f"The cells {attributes.get('ref', '')[:20]} are merged, so that it is"
                " not clear which rows their text belongs to. Unmerge them."
            )

    def end(self, name: str) -> None:
        super().end(name)
        if name == "c":
            self._end_cell()
        elif name == "row":
            self.rows.append(Row(self.row_number, self.cells))

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = whole_number(attributes.get("r", str(self.row_number + 1)))
        if number <= self.row_number:
            raise UnreadableFile(DAMAGED)
        self.row_number, self.column, self.cells = number, 0, []

    def _start_cell(self, attributes: dict[str, str]) -> None:
        column = self.column + 1
        if address := attributes.get("r"):
            column = column_number(address)
        if column <= self.column:
            raise UnreadableFile(DAMAGED)
        self.column = column
        self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "0")
        self.has_formula = self.has_value = False

    def _end_cell(self) -> None:
        cell = self._cell(self.take_text())
        if not (cell or cell.problem):
            return
        if self.column > MAX_COLUMNS:
            raise UnreadableFile(
                f"Row {self.row_number} has a cell in column {self.column}. A table has"
                f" at most {MAX_COLUMNS} columns."
            )
        self.cells += [Cell()] * (self.column - 1 - len(self.cells)) + [cell]

    def _cell(self, text: str) -> Cell:
        match self.kind:
            case "inlineStr" | "str":
                return Cell(xlsx_cells.unescape(text))
            case "e":
                return Cell.unreadable(text, xlsx_cells.ERROR)
            case "d":
                return Cell.unreadable(text, xlsx_cells.DATE)
        if self.has_formula and not text:
            return Cell.unreadable("", xlsx_cells.NO_RESULT)
        if not text:
            return Cell()
        return self._valued_cell(text)

    def _valued_cell(self, text: str) -> Cell:
        match self.kind:
            case "s":
                return Cell(self._shared(text))
            case "b":
                truth = "TRUE" if text.strip() == "1" else "FALSE"
                return Cell.no_text(truth, xlsx_cells.TRUTH)
        return xlsx_cells.number_cell(text.strip(), self.formats.code(self.style))

    def _shared(self, number: str) -> str:
        try:
            return self.texts[whole_number(number)]
        except IndexError as error:
            raise UnreadableFile(DAMAGED) from error


def whole_number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise UnreadableFile(DAMAGED)
    return int(text)


def column_number(address: str) -> int:
    """Return the number of the column in an address like ``AB12``."""
    match = _ADDRESS.fullmatch(address)
    if not match:
        raise UnreadableFile(DAMAGED)
    number = 0
    for letter in match.group(1):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number

"""Read the XML of a workbook piece by piece, in bounded time and memory.

Only what a handler keeps stays in memory. What a file can do to a reader (entities,
depth, one long token, elements without end) has a limit here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol
from xml.parsers import expat

from .cells import OverLimit, UnreadableFile

MAX_DEPTH = 50
#: The most that may be between two tags. A cell has 32,767 characters at most.
MAX_TOKEN_BYTES = 1_000_000
PIECE_BYTES = 64 * 1024

TOO_LARGE = "The workbook is too large. Keep only the sheet with the table."
DAMAGED = (
    "This is not an Excel workbook (.xlsx), or it is damaged. Save the table again as"
    " .xlsx or as “CSV UTF-8”."
)


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class PartReader:
    """Read one part; subclasses keep what they need in ``start``, ``text``, ``end``.

    Names come without namespace prefixes, which programs choose freely.
    """

    #: Set by a subclass that has seen all it needs.
    is_done = False

    def __init__(self) -> None:
        self.depth = self.elements = self.max_elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None: ...
    def text(self, text: str) -> None: ...
    def end(self, name: str) -> None: ...

    def read(self, part: Readable, max_elements: int) -> None:
        for _ in self.pieces(part, max_elements):
            pass

    def pieces(self, part: Readable, max_elements: int) -> Iterator[None]:
        """Feed the part to the parser; pause after each piece.

        :raises UnreadableFile: if it is no XML, or none that a program writes
        :raises OverLimit: if it has more elements
        """
        self.max_elements = max_elements
        parser, fed = self._parser(), 0
        while not self.is_done and (piece := part.read(PIECE_BYTES)):
            self._feed(parser, piece)
            fed += len(piece)
            if fed - max(parser.CurrentByteIndex, 0) > MAX_TOKEN_BYTES:
                raise UnreadableFile(TOO_LARGE)
            yield
        if not self.is_done:
            self._feed(parser, b"", is_last=True)
            yield

    @staticmethod
    def _feed(
        parser: expat.XMLParserType, piece: bytes, *, is_last: bool = False
    ) -> None:
        try:
            parser.Parse(piece, is_last)
        except expat.ExpatError as error:
            raise UnreadableFile(DAMAGED) from error

    def _parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.CharacterDataHandler = self._text
        parser.EndElementHandler = self._end
        return parser

    def _text(self, text: str) -> None:
        if not self.is_done:
            self.text(text)

    def _refuse_doctype(self, *declaration: object) -> None:
        """Refuse entities; no spreadsheet program writes a document type."""
        raise UnreadableFile(DAMAGED)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.elements > self.max_elements:
            raise OverLimit(TOO_LARGE)
        if self.depth > MAX_DEPTH:
            raise UnreadableFile(TOO_LARGE)
        if not self.is_done:
            self.start(name.rpartition(":")[2], attributes)

    def _end(self, name: str) -> None:
        self.depth -= 1
        if not self.is_done:
            self.end(name.rpartition(":")[2])

"""How the cells of an import are read."""

from __future__ import annotations

import time

import pytest

from mechanic_shop.spreadsheets.cells import Cell
from mechanic_shop.spreadsheets.columns import TextWidget


class TestText:
    @pytest.mark.parametrize(
        ("typed", "text"),
        [
            (" two words ", "two words"),
            ("two\nlines", "two lines"),
            ("two \r\n\r\n\t lines\r", "two lines"),
            ("two  blanks", "two  blanks"),
        ],
    )
    def test_is_of_one_line(self, typed: str, text: str) -> None:
        assert TextWidget().clean(Cell(typed)) == text

    def test_of_many_blanks_takes_no_time(self) -> None:
        typed = "a" + " " * 100_000 + "b"
        start = time.monotonic()

        assert TextWidget().clean(Cell(typed)) == typed

        assert time.monotonic() - start < 5

"""Small files that would keep a reader busy for long, or fill its memory."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import process_time

import pytest

from ..cells import SMALL, UnreadableFile
from ..tables import read_table
from .raw_workbooks import HEADINGS, MAIN, headings, number, row, sheet, text, workbook

#: What a page of the back office may take; some of these took minutes, or had no end.
SECONDS = 5
MEGABYTES = 100


@contextmanager
def little_time() -> Iterator[None]:
    before = process_time()
    yield
    assert process_time() - before < SECONDS


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEGABYTES * 1024**2


def refusal(content: bytes) -> str:
    with little_time(), pytest.raises(UnreadableFile) as refused:
        read_table(content, ".xlsx", HEADINGS, limits=SMALL)
    return str(refused.value)


def at_the_end(number_of_row: int) -> bytes:
    return workbook(sheet(headings(), row(text("B-1"), at=number_of_row)))


class TestRows:
    @pytest.mark.parametrize("last", [1_048_577, 19_000_000_000, 999_999_999_999])
    def test_after_the_last_of_a_sheet_are_refused(self, last: int) -> None:
        content = at_the_end(last)

        assert len(content) < 2_000
        assert f"The file names row {last}" in refusal(content)

    def test_that_are_missing_cost_nothing(self) -> None:
        with little_time():
            table = read_table(at_the_end(1_048_576), ".xlsx", HEADINGS)

        assert table[0][:2] == (1_048_576, "B-1")

    def test_without_text_are_counted(self) -> None:
        content = workbook(sheet(headings(), "<row/>" * 500_000))

        assert "empty rows" in refusal(content)

    def test_of_a_text_file_without_text_are_counted(self) -> None:
        with little_time(), pytest.raises(UnreadableFile, match="empty rows"):
            read_table(
                b"Part number\nA\n" + b"\n" * 4_000_000, ".csv", HEADINGS, limits=SMALL
            )


def many(part: str, times: int) -> str:
    return f'<sst xmlns="{MAIN}">{part * times}</sst>'


ATTACKS: dict[str, Callable[[], bytes]] = {
    "a cell in the last column": lambda: workbook(
        sheet(headings(), row(text("x", "XFD2")) * 2)
    ),
    "a column with no end": lambda: workbook(
        sheet(headings(), row(text("x", "ZZZZZZZZ2")))
    ),
    "cells without end in one row": lambda: workbook(
        sheet(headings(), row("<c/>" * 6_000_000))
    ),
    "rows of empty cells": lambda: workbook(
        sheet(headings(), row("<c/>" * 100) * 60_000)
    ),
    "texts without end": lambda: workbook(
        sheet(headings()), sharedStrings=many("<si/>", 6_000_000)
    ),
    "one long text": lambda: workbook(
        sheet(headings()), sharedStrings=many(f"<si><t>{'x' * 9_000_000}</t></si>", 1)
    ),
    "a long text in each cell": lambda: workbook(
        sheet(headings(), *[row('<c t="s"><v>0</v></c>' * 40)] * 2_000),
        sharedStrings=many(f"<si><t>{'x' * 30_000}</t></si>", 1),
    ),
    "one long name": lambda: workbook(
        sheet(headings(), f'<row a="{"x" * 40_000_000}"/>')
    ),
    "elements in elements": lambda: workbook(sheet(headings(), "<a>" * 4_000_000)),
    "styles without end": lambda: workbook(
        sheet(headings()), styles=f"<a><cellXfs>{'<xf/>' * 6_000_000}</cellXfs></a>"
    ),
    "more than fits": lambda: workbook(sheet(headings(), " " * 60_000_000)),
    "merged cells without end": lambda: workbook(
        sheet(headings(), after='<mergeCell ref="A1:B9"/>' * 1_000_000)
    ),
    "entities": lambda: workbook(
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
        + sheet(row(text("&b;")))
    ),
    "an entity from a file": lambda: workbook(
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        + sheet(row(text("&a;")))
    ),
    "a number of a million digits": lambda: workbook(
        sheet(headings(), row(text("x"), text("x"), number("9" * 900_000)))
    ),
}


class TestWorkbook:
    @pytest.mark.parametrize("attack", ATTACKS)
    def test_is_refused_in_little_time(self, attack: str) -> None:
        assert refusal(ATTACKS[attack]())

    @pytest.mark.parametrize(
        "attack",
        ["one long text", "a long text in each cell", "one long name", "entities"],
    )
    def test_is_refused_in_little_memory(self, attack: str) -> None:
        content = ATTACKS[attack]()

        with little_memory():
            assert refusal(content)

    def test_with_many_sheets_is_read_once(self) -> None:
        content = workbook(
            sheet(headings(), *[row(text("A"), text("x"))] * 1_000), sheets=10_000
        )

        with little_time():
            table = read_table(content, ".xlsx", HEADINGS, limits=SMALL)

        assert len(table) == 1_000

    def test_that_lies_about_its_size_is_refused(self) -> None:
        content = workbook(sheet(headings(), row(text("x" * 5_000)) * 30))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
        lying = content.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))

        assert lying != content
        assert "damaged" in refusal(lying)

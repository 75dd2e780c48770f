"""Cells of workbooks as the programs write them that shops use."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]

from .. import workbooks
from ..cells import LARGE, Cell, Row, UnreadableFile
from .raw_workbooks import number, packed, row, sheet, styles, text, workbook


def rows_in(content: bytes) -> Iterator[Row]:
    return workbooks.read_workbook(content, LARGE)


def cells_of(*cells: str, **parts: Any) -> list[Cell]:
    [only] = rows_in(workbook(sheet(row(*cells)), **parts))
    return only.cells


def cell_of(xml: str, **parts: Any) -> Cell:
    [cell] = cells_of(xml, **parts)
    return cell


class TestNumber:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("5.01234567890E12", "5012345678900"),
            ("5.01234567897E12", "5012345678970"),
            ("3.200010730102021E15", "3200010730102021"),
            ("4.0", "4"),
            ("12", "12"),
            ("-3", "-3"),
            ("13.2", "13.2"),
            ("19.989999999999998", "19.99"),
            ("1E-2", "0.01"),
        ],
    )
    def test_in_floating_notation_keeps_its_digits(
        self, written: str, meant: str
    ) -> None:
        cell = cell_of(number(written))

        assert (cell, cell.problem, cell.text_problem) == (meant, "", "")

    @pytest.mark.parametrize(
        "written", ["1.23456789012345E+19", "9007199254740993", "3200010730102020"]
    )
    def test_that_lost_digits_is_no_text(self, written: str) -> None:
        assert "lost digits" in cell_of(number(written)).text_problem

    @pytest.mark.parametrize("written", ["1E999", "1E99999999", "NaN", "x", "1E-400"])
    def test_that_is_none_is_reported(self, written: str) -> None:
        assert "no number" in cell_of(number(written)).problem

    @pytest.mark.parametrize(
        ("code", "shown"),
        [
            ("000000", "001234"),
            ("00-0000", "00-1234"),
            ("&quot;PN-&quot;00000", "PN-01234"),
            ("000", "1234"),
            ("0", "1234"),
            ("#,##0", "1234"),
            ("0.00", "1234"),
        ],
    )
    def test_has_the_leading_zeros_of_its_format(self, code: str, shown: str) -> None:
        assert cell_of(number("1234", 1), styles=styles(code)) == shown

    @pytest.mark.parametrize("code", ["0%", "# ?/?"])
    def test_that_looks_different_is_no_text(self, code: str) -> None:
        cell = cell_of(number("0.5", 1), styles=styles(code))

        assert (cell, cell.problem) == ("0.5", "")
        assert "in another way" in cell.text_problem

    @pytest.mark.parametrize("code", ["d/m/yyyy", "mmm\\-yy", "[$-407]d. mmm"])
    def test_that_is_a_date_is_reported(self, code: str) -> None:
        cell = cell_of(number("46174", 1), styles=styles(code))

        assert cell == "2026-06-01"
        assert "holds a date" in cell.problem

    def test_that_openpyxl_wrote_as_a_date_is_reported(self) -> None:
        book, content = Workbook(), io.BytesIO()
        book.active.append([date(2026, 6, 1)])
        book.save(content)

        [only] = rows_in(content.getvalue())

        assert "holds a date" in only.cells[0].problem


class TestOtherCell:
    def test_with_an_error_is_reported(self) -> None:
        cell = cell_of('<c t="e"><v>#REF!</v></c>')

        assert (cell, cell.problem[:29]) == ("#REF!", "The cell holds an error value")

    def test_with_a_formula_has_its_result(self) -> None:
        cells = cells_of(
            "<c><f>24*0.55</f><v>13.2</v></c>",
            '<c t="str"><f>A1&amp;"x"</f><v>13.2x</v></c>',
        )

        assert cells == ["13.2", "13.2x"]

    def test_with_a_formula_without_result_is_reported(self) -> None:
        assert "without its result" in cell_of("<c><f>1+1</f><v></v></c>").problem

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("front,_x000D_ left", "front,\n left"),
            ("a_x000D_\nb", "a\nb"),
            ("_x005F_x000D_", "_x000D_"),
            ("=1+1", "=1+1"),
        ],
    )
    def test_with_escaped_text_is_decoded(self, written: str, meant: str) -> None:
        assert cell_of(text(written)) == meant

    def test_with_rich_text_is_one_text(self) -> None:
        runs = "<is><r><t>Brake </t></r><r><t>hose</t></r><rPh><t>bureki</t></rPh></is>"

        assert cell_of(f'<c t="inlineStr">{runs}</c>') == "Brake hose"

    def test_with_a_shared_text_is_found(self) -> None:
        shared = (
            "<sst><si><t>one</t></si><si><r><t>t</t></r><r><t>wo</t></r></si></sst>"
        )

        assert cell_of('<c t="s"><v>1</v></c>', sharedStrings=shared) == "two"

    def test_with_a_truth_is_no_text(self) -> None:
        cell = cell_of('<c t="b"><v>1</v></c>')

        assert (cell, bool(cell.text_problem)) == ("TRUE", True)


class TestSheet:
    @pytest.mark.parametrize("stated", ["A1", "A1:C3", "A1:XFD1048576"])
    def test_that_states_a_wrong_size_loses_nothing(self, stated: str) -> None:
        rows = [row(*(text(f"{x}{y}") for x in "abcd")) for y in range(5)]
        book = workbook(sheet(*rows, before=f'<dimension ref="{stated}"/>'))

        read = list(rows_in(book))

        assert [len(each.cells) for each in read] == [4] * 5
        assert read[4].cells[3] == "d4"

    def test_keeps_cells_and_rows_in_their_places(self) -> None:
        book = workbook(sheet(row(text("a", "B3"), text("b", "D3"), at=3)))

        assert list(rows_in(book)) == [(3, ["", "a", "", "b"])]

    def test_may_have_prefixed_names(self) -> None:
        xml = sheet(row(text("a"))).replace("<", "<x:").replace("<x:/", "</x:")
        book = workbook(xml.replace("xmlns=", "xmlns:x="))

        assert list(rows_in(book)) == [(1, ["a"])]

    def test_is_the_first_that_can_be_seen(self) -> None:
        book, content = Workbook(), io.BytesIO()
        book.active.append(["hidden"])
        book.active.sheet_state = "hidden"
        book.create_sheet("shown").append(["seen"])
        book.create_sheet("second").append(["not read"])
        book.save(content)

        assert list(rows_in(content.getvalue())) == [(1, ["seen"])]

    @pytest.mark.parametrize(
        "rows",
        [
            (row(text("a"), at=2), row(text("b"), at=2)),
            (row(text("a", "B1"), text("b", "A1")),),
            (row(text("a", "A0x")),),
            (row('<c t="s"><v>7</v></c>'),),
        ],
        ids=["row twice", "columns backwards", "address", "missing text"],
    )
    def test_that_contradicts_itself_is_refused(self, rows: Any) -> None:
        with pytest.raises(UnreadableFile, match="damaged"):
            list(rows_in(workbook(sheet(*rows))))

    def test_that_ends_too_early_is_refused(self) -> None:
        with pytest.raises(UnreadableFile, match="damaged"):
            list(rows_in(workbook(sheet(row(text("a")))[:-20])))

    def test_with_merged_cells_is_refused(self) -> None:
        merged = '<mergeCells><mergeCell ref="A2:A4"/></mergeCells>'

        with pytest.raises(UnreadableFile, match="A2:A4 are merged"):
            list(rows_in(workbook(sheet(row(text("a")), after=merged))))

    def test_that_is_missing_is_refused(self) -> None:
        with pytest.raises(UnreadableFile, match="damaged"):
            list(rows_in(packed({"other.txt": ""})))

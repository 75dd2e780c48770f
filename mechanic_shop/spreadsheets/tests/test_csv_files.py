"""Text files as spreadsheet programs and accounting systems write them."""

from __future__ import annotations

import pytest

from ..cells import LARGE, Cell, UnreadableFile
from ..columns import AmountWidget, TextWidget
from ..csv_files import read_csv
from ..formulas import mark


def rows_of(text: str) -> list[tuple[int, list[str]]]:
    return [(row.number, list(row.cells)) for row in read_csv(text.encode(), LARGE)]


def cell_of(text: str) -> Cell:
    [row] = read_csv(text.encode(), LARGE)
    return row.cells[0]


class TestRow:
    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    def test_may_have_been_told_its_separator(self, ending: str) -> None:
        text = ending.join(["sep=;", "Part number;Name", "DE-1;Ölfilter"])

        assert rows_of(text) == [
            (1, ["Part number", "Name"]),
            (2, ["DE-1", "Ölfilter"]),
        ]

    def test_may_have_a_separator_of_its_own(self) -> None:
        assert rows_of("sep=|\na|b,c") == [(1, ["a", "b,c"])]

    @pytest.mark.parametrize("name", ['"', "a", "1"])
    def test_is_not_split_at_letters(self, name: str) -> None:
        with pytest.raises(UnreadableFile):
            rows_of(f"sep={name}\na,b")

    @pytest.mark.parametrize(
        "lines",
        [
            ["Q-1,4.10,'3/4 inch parts", "Q-2,0.80,Norwick", "Q-3,22.00,Norwick"],
            ["Q-1,4.10,'3/4 inch parts", "Q-2,0.80,'Norwick'", "Q-3,22.00,Norwick"],
            ["Q-1,4.10,'3/4' inch parts'", "Q-2,0.80,Norwick"],
        ],
        ids=["never closed", "closed by another", "closed too early"],
    )
    def test_with_an_unclosed_quotation_mark_is_named(self, lines: list[str]) -> None:
        text = "\n".join(["Part number,Cost,Supplier", *lines]).replace("'", '"')

        with pytest.raises(UnreadableFile, match="Row 2 has a quotation mark"):
            rows_of(text)

    def test_may_have_inches_in_a_plain_cell(self) -> None:
        assert rows_of('Q-1,3/4" hose') == [(1, ["Q-1", '3/4" hose'])]

    def test_may_have_cells_of_several_lines(self) -> None:
        assert rows_of('a,"b\nc"\nd,e') == [(1, ["a", "b\nc"]), (2, ["d", "e"])]


class TestText:
    @pytest.mark.parametrize("text", ["1.23457E+12", "5E+12", "1,23457E+15"])
    def test_that_excel_shortened_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="has shortened this number"):
            TextWidget().clean(cell_of(f'"{text}"'))

    @pytest.mark.parametrize("text", ["5E12", "E+12", "12E+1A", "1.5E-3"])
    def test_that_only_looks_like_it_is_read(self, text: str) -> None:
        assert TextWidget().clean(cell_of(text)) == text

    @pytest.mark.parametrize("text", ["=1+1", "@A1", "+A1", "-x", "＝1+1"])
    def test_that_is_a_formula_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="looks like a formula"):
            TextWidget().clean(cell_of(text))

    @pytest.mark.parametrize("text", ["+49 170 1234567", "+1 (415) 555-0142", "-12"])
    def test_that_is_a_phone_number_needs_no_mark(self, text: str) -> None:
        assert mark(text) == text
        assert TextWidget().clean(cell_of(text)) == text

    @pytest.mark.parametrize(
        "text", ["=1+1", "'=1+1", "''@x", "'+49", "+49", "＝1+1", "-2+3+cmd|x", "'tis"]
    )
    def test_that_is_marked_comes_back_unchanged(self, text: str) -> None:
        assert TextWidget().clean(cell_of(mark(text))) == text

    def test_of_several_lines_becomes_one_line(self) -> None:
        assert TextWidget().clean(Cell("hose,\n front\r\nleft")) == "hose, front left"


class TestAmount:
    @pytest.mark.parametrize(
        ("text", "cents"),
        [
            ("7,95", 795),
            ("1.089,50", 108_950),
            ("1 089,5", 108_950),
            ("1\u00a0089,50", 108_950),
            ("7.95", 795),
            ("12", 1_200),
        ],
    )
    def test_in_a_semicolon_file_may_have_a_comma(self, text: str, cents: int) -> None:
        [row] = read_csv(f"sep=;\n{text};x".encode(), LARGE)

        assert AmountWidget(max_cents=10**9).clean(row.cells[0]) == cents

    @pytest.mark.parametrize(
        "text", ["1.089", "1,089,50", "1.0895,5", ",5", "1.089.50"]
    )
    def test_with_two_meanings_is_refused(self, text: str) -> None:
        [row] = read_csv(f"sep=;\n{text};x".encode(), LARGE)

        with pytest.raises(ValueError, match="Write an amount"):
            AmountWidget(max_cents=10**9).clean(row.cells[0])

    def test_in_a_comma_file_may_have_thousands(self) -> None:
        assert AmountWidget(max_cents=10**9).clean(Cell("1,089.50")) == 108_950

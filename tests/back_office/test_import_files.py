"""Files of other programs: read as they were meant, or refused at the right cell."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from inventory.models import Part
from mechanic_shop.spreadsheets.tests.raw_workbooks import (
    headings,
    number,
    row,
    sheet,
    styles,
    text,
    workbook,
)
from tests.back_office.test_import_parts import agree, refused, upload

pytestmark = pytest.mark.django_db


def xlsx(*rows: str, before: str = "", **parts: Any) -> SimpleUploadedFile:
    content = workbook(sheet(headings(), *rows, before=before), **parts)
    return SimpleUploadedFile("parts.xlsx", content)


def csv(*lines: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("parts.csv", "\r\n".join(lines).encode("utf-8-sig"))


def imported(client: Client, file: SimpleUploadedFile) -> list[tuple[Any, ...]]:
    agree(client, upload(client, file))
    fields = ("part_number", "name", "current_cost_cents", "quantity_in_stock")
    return list(Part.objects.order_by("pk").values_list(*fields))


def problem(client: Client, file: SimpleUploadedFile) -> tuple[Any, ...]:
    page = upload(client, file)
    assert not page.context["can_confirm"]
    [only] = page.context["problems"]
    return tuple(only.values())


class TestWorkbook:
    def test_of_apache_poi_keeps_part_numbers(self, desk: Client) -> None:
        rows = [
            row(
                number("5.01234567890E12"),
                text("Oil filter"),
                number("8.9"),
                number("4.0"),
            ),
            row(
                number("5.01234567897E12"), text("Air"), number("14.25"), number("2.0")
            ),
            row(
                number("3.200010730102021E15"),
                text("Gasket"),
                number("3.0"),
                number("1"),
            ),
        ]

        assert imported(desk, xlsx(*rows)) == [
            ("5012345678900", "Oil filter", 890, 4),
            ("5012345678970", "Air", 1425, 2),
            ("3200010730102021", "Gasket", 300, 1),
        ]

    @pytest.mark.parametrize("stated", ["A1", "A1:C3"])
    def test_of_wps_loses_no_rows_and_columns(self, stated: str, desk: Client) -> None:
        rows = [
            row(text(f"WPS-{n}"), text("Clip"), number("1.5"), number(str(10 + n)))
            for n in range(1, 6)
        ]
        file = xlsx(*rows, before=f'<dimension ref="{stated}"/>')

        assert [part[3] for part in imported(desk, file)] == [11, 12, 13, 14, 15]

    def test_with_a_date_as_part_number_is_refused(self, desk: Client) -> None:
        cells = (number("46174", 1), text("was typed 6-1"), number("2"), number("1"))
        where = problem(desk, xlsx(row(*cells), styles=styles("d\\-mmm")))

        assert where[:3] == (2, "Part number", "2026-06-01")
        assert "holds a date" in where[3]

    def test_with_an_error_as_name_is_refused(self, desk: Client) -> None:
        cells = (text("ERR-1"), '<c t="e"><v>#REF!</v></c>', number("2"), number("1"))
        where = problem(desk, xlsx(row(*cells)))

        assert where[:3] == (2, "Name", "#REF!")
        assert "error value" in where[3]

    def test_with_a_shortened_number_is_refused(self, desk: Client) -> None:
        cells = (number("1.23456789012345E+19"), text("x"), number("2"), number("1"))

        assert problem(desk, xlsx(row(*cells)))[:2] == (2, "Part number")

    def test_with_a_computed_cost_takes_the_result(self, desk: Client) -> None:
        cost = "<c><f>24*0.55</f><v>13.200000000000001</v></c>"
        cells = (text("CALC-1"), text("Wiper blade"), cost, number("6"))

        assert imported(desk, xlsx(row(*cells))) == [("CALC-1", "Wiper blade", 1320, 6)]

    def test_with_a_name_of_two_lines_makes_one(self, desk: Client) -> None:
        cells = (text("ML-1"), text("Brake hose,_x000D_ front left"), number("19.9"))

        [part] = imported(desk, xlsx(row(*cells)))

        assert part[1] == "Brake hose, front left"

    def test_with_a_format_of_zeros_keeps_them(self, desk: Client) -> None:
        cells = (number("1234", 1), text("x"), number("1"), number("1"))

        [part] = imported(desk, xlsx(row(*cells), styles=styles("000000")))

        assert part[0] == "001234"

    def test_that_names_a_row_no_sheet_has_is_refused(self, desk: Client) -> None:
        file = xlsx(row(text("B-1"), at=19_000_000_000))

        assert "names row 19000000000" in refused(desk, file)


class TestTextFile:
    def test_of_a_german_excel_is_read(self, desk: Client) -> None:
        file = csv(
            "sep=;",
            "Part number;Name;Cost;Quantity in stock",
            "DE-1;Ölfilter;7,95;12",
            "DE-2;Zahnriemen;1.089,50;1",
        )

        assert imported(desk, file) == [
            ("DE-1", "Ölfilter", 795, 12),
            ("DE-2", "Zahnriemen", 108_950, 1),
        ]

    def test_with_an_unclosed_quotation_mark_is_refused(self, desk: Client) -> None:
        file = csv(
            "Part number,Name,Cost,Supplier",
            'Q-1,Hose 3/4,4.10,"3/4 inch parts',
            "Q-2,Clamp,0.80,Norwick",
        )

        assert "Row 2 has a quotation mark" in refused(desk, file)
        assert not Part.objects.exists()

    def test_with_a_shortened_part_number_is_refused(self, desk: Client) -> None:
        file = csv("Part number,Name,Cost", "5.01235E+12,Oil filter,8.90")

        assert problem(desk, file)[:3] == (2, "Part number", "5.01235E+12")

"""Every list can be taken away, with what the person sees and nothing else."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook  # type: ignore[import-untyped]

from inventory.models import Part, StockMovement
from inventory.services import adjust_stock
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.admin.export import cell_value
from mechanics.models import Mechanic
from tests.support.back_office import (
    SHOP_MODELS,
    browser_of,
    fill_shop,
    make_mechanic,
    make_part,
    make_user,
    text_of,
    url,
)
from tickets.models import TicketPart

pytestmark = pytest.mark.django_db


def content_of(answer: Any) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def table_in(answer: Any) -> list[list[str]]:
    text = content_of(answer).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def export_of(client: Client, model: type[Model], **query: Any) -> list[list[str]]:
    return table_in(client.get(url(model, "export", "csv"), query))


def workbook_of(client: Client, model: type[Model]) -> Any:
    answer = client.get(url(model, "export", "xlsx"))
    return load_workbook(io.BytesIO(content_of(answer))).worksheets[0]


class TestAnExport:
    @pytest.mark.parametrize("model", SHOP_MODELS)
    def test_has_a_row_for_each_of_the_list(
        self, model: type[Model], boss: User, desk: Client
    ) -> None:
        fill_shop(boss, 0, 2)
        shown = desk.get(url(model, "changelist")).context["cl"]

        headings, *rows = export_of(desk, model)

        assert len(rows) == shown.result_count
        assert all(len(row) == len(headings) for row in rows)

    @pytest.mark.parametrize("model", SHOP_MODELS)
    def test_is_a_workbook_too(
        self, model: type[Model], boss: User, desk: Client
    ) -> None:
        fill_shop(boss, 0, 1)

        sheet = workbook_of(desk, model)

        assert sheet.max_row >= 2
        assert sheet["A1"].font.bold

    @pytest.mark.parametrize("model", SHOP_MODELS)
    def test_is_offered_above_the_list(
        self, model: type[Model], boss: User, desk: Client
    ) -> None:
        fill_shop(boss, 0, 1)

        page = text_of(desk.get(url(model, "changelist"), {"q": "a"}))

        assert f"{url(model, 'export', 'csv')}?q=a" in page
        assert f"{url(model, 'export', 'xlsx')}?q=a" in page

    @pytest.mark.parametrize("model", SHOP_MODELS)
    def test_needs_the_right_to_see_the_list(self, model: type[Model]) -> None:
        nobody = browser_of(make_user("nobody"))

        assert nobody.get(url(model, "export", "csv")).status_code == 403

    @pytest.mark.parametrize("model", SHOP_MODELS)
    def test_takes_the_same_number_of_queries_for_any_number_of_rows(
        self, model: type[Model], boss: User, desk: Client
    ) -> None:
        fill_shop(boss, 0, 3)
        export_of(desk, model)
        few = queries_of_export(desk, model)
        fill_shop(boss, 3, 12)

        assert queries_of_export(desk, model) == few

    def test_keeps_to_search_filter_and_order(self, boss: User, desk: Client) -> None:
        for number, units in (("A-1", 3), ("A-2", 4), ("A-3", 90), ("B-1", 1)):
            make_part(boss, number, units)

        _, *rows = export_of(desk, Part, q="A-", stock="low", o="-1")

        assert [row[0] for row in rows] == ["A-2", "A-1"]

    def test_has_more_rows_than_a_page_of_the_list(
        self, boss: User, desk: Client
    ) -> None:
        for number in range(60):
            make_part(boss, f"P-{number:03}")

        _, *rows = export_of(desk, Part)

        assert [row[0] for row in rows] == [f"P-{number:03}" for number in range(60)]

    def test_does_not_know_other_formats(self, desk: Client) -> None:
        assert desk.get(url(Part, "export", "exe")).status_code == 404

    def test_is_only_read(self, desk: Client) -> None:
        assert desk.post(url(Part, "export", "csv")).status_code == 405

    def test_sends_a_strange_filter_back_to_the_list(self, desk: Client) -> None:
        answer = desk.get(url(Part, "export", "csv"), {"is_active__exact": "perhaps"})

        assert answer.status_code == 302

    def test_tells_who_moved_what(self, boss: User, desk: Client) -> None:
        part = make_part(boss, stock=5)
        adjust_stock(part=part, adjustment=-2, by=boss, note="broken")

        _, newest, _ = export_of(desk, StockMovement)

        assert newest[1:6] == ["BRK-1", "Brake pad", "-2", "3", "Adjustment"]
        assert newest[-1] == "broken"

    def test_keeps_numbers_and_times_as_such_in_a_workbook(
        self, boss: User, desk: Client
    ) -> None:
        make_part(boss, stock=5)

        part = [cell.value for cell in workbook_of(desk, Part)[2]]
        movement = [cell.value for cell in workbook_of(desk, StockMovement)[2]]

        assert part[6:9] == [1234.5, 5, 5]
        assert isinstance(movement[0], datetime)


class TestAnExportHides:
    def test_salaries_without_the_right_to_see_them(self) -> None:
        make_mechanic()
        sven = browser_of(make_user("sven", SERVICE_ADVISOR))

        table = export_of(sven, Mechanic)

        assert "54" not in str(table)
        assert not any("alary" in heading for heading in table[0])

    def test_salaries_from_filters(self) -> None:
        sven = browser_of(make_user("sven", SERVICE_ADVISOR))

        answer = sven.get(url(Mechanic, "export", "csv"), {"salary__gt": "1"})

        assert answer.status_code == 400

    def test_costs_without_the_right_to_see_parts(self, boss: User) -> None:
        fill_shop(boss, 0, 1)
        viewer = make_user("vic")
        viewer.user_permissions.set(
            Permission.objects.filter(codename__in=["view_ticketpart"])
        )

        table = export_of(browser_of(viewer), TicketPart)

        assert "1234.5" not in str(table)
        assert "1,234.5" not in str(table)

    def test_nothing_of_the_shelf_from_a_technician_with_the_right(
        self, boss: User
    ) -> None:
        make_part(boss)
        tina = make_user("tina", TECHNICIAN)

        assert len(export_of(browser_of(tina), Part)) == 2
        Group.objects.get(name=TECHNICIAN).permissions.clear()
        assert browser_of(tina).get(url(Part, "export", "csv")).status_code == 403


class TestACell:
    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_is_never_a_formula(self, start: str, boss: User, desk: Client) -> None:
        Part.objects.filter(pk=make_part(boss).pk).update(name=f"{start}1+1")

        assert export_of(desk, Part)[1][1].replace("\r", "") == f"'{start}1+1".replace(
            "\r", ""
        )
        assert workbook_of(desk, Part)["B2"].data_type == "s"

    @pytest.mark.parametrize(
        ("value", "cell"),
        [(None, ""), (True, "yes"), (False, "no"), (-5, -5), (["a", "b"], "a b")],
    )
    def test_says_what_the_column_says(self, value: Any, cell: Any) -> None:
        assert cell_value(value) == cell

    def test_has_no_characters_that_a_workbook_cannot_hold(
        self, boss: User, desk: Client
    ) -> None:
        Part.objects.filter(pk=make_part(boss).pk).update(name="bell\x07")

        assert workbook_of(desk, Part)["B2"].value == "bell"


def queries_of_export(client: Client, model: type[Model]) -> int:
    with CaptureQueriesContext(connection) as queries:
        export_of(client, model)
    return len(queries)

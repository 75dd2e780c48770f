"""The shelf in the back office: what is low, what came in, how it went."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.admin.stock_movements import MAX_POINTS, days_between, stock_chart
from inventory.models import Part, StockMovement
from inventory.services import adjust_stock
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.core.local_days import start_of_day
from tests.support.back_office import (
    answer_dialog,
    browser_of,
    make_part,
    make_user,
    page_of,
    text_of,
    url,
)

pytestmark = pytest.mark.django_db


class TestTheListOfParts:
    @pytest.mark.parametrize(
        ("units", "pill"), [(0, "OUT"), (1, "LOW"), (5, "LOW"), (6, "OK")]
    )
    def test_shows_at_a_glance_what_is_low(
        self, units: int, pill: str, boss: User, desk: Client
    ) -> None:
        make_part(boss, stock=units)

        changelist = desk.get(url(Part, "changelist")).context["cl"]
        part = changelist.result_list[0]

        assert changelist.model_admin.stock(part) == pill

    @pytest.mark.parametrize(
        ("stock", "numbers"), [("low", ["A", "B"]), ("out", ["A"]), ("enough", ["C"])]
    )
    def test_can_be_narrowed_down_to_it(
        self, stock: str, numbers: list[str], boss: User, desk: Client
    ) -> None:
        for number, units in (("A", 0), ("B", 5), ("C", 6)):
            make_part(boss, number, units)

        page = desk.get(url(Part, "changelist"), {"stock": stock})

        assert [part.part_number for part in page.context["cl"].result_list] == numbers

    def test_offers_to_receive_in_each_row(self, boss: User, desk: Client) -> None:
        part = make_part(boss)

        page = text_of(desk.get(url(Part, "changelist")))

        assert url(Part, "receive_stock", part.pk) in page

    def test_takes_a_dialog_back_to_where_it_was_opened(
        self, boss: User, desk: Client
    ) -> None:
        part, low = make_part(boss), f"{url(Part, 'changelist')}?stock=low"

        answer = desk.post(
            url(Part, "receive_stock", part.pk),
            {"quantity": "1", "_form_submitted": "True"},
            headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{low}"},
        )

        assert answer["HX-Redirect"] == low
        [said] = desk.get(low).context["messages"]
        assert str(said) == f"{part}: 6 in stock."

    def test_is_not_led_elsewhere(self, boss: User, desk: Client) -> None:
        part = make_part(boss)
        elsewhere = "https://evil.test/admin/inventory/part/1/change/"

        answer = desk.post(
            url(Part, "receive_stock", part.pk),
            {"quantity": "1", "_form_submitted": "True"},
            headers={"HX-Request": "true", "HX-Current-URL": elsewhere},
        )

        assert answer["HX-Redirect"] == page_of(part)


class TestReceive:
    def test_puts_units_on_the_shelf_and_notes_the_supplier(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)
        dialog = url(Part, "receive_stock", part.pk)

        _, said = answer_dialog(desk, dialog, quantity="20", note="Acme, note 17")

        movement = part.movements.all()[0]
        assert said == "25 in stock."
        assert (movement.delta, movement.reason) == (20, "receive")
        assert (movement.note, movement.by) == ("Acme, note 17", boss)

    @pytest.mark.parametrize("quantity", ["0", "-3", "2.5", "", "1000001"])
    def test_takes_whole_units_only(
        self, quantity: str, boss: User, desk: Client
    ) -> None:
        part = make_part(boss)

        answer, _ = answer_dialog(
            desk, url(Part, "receive_stock", part.pk), quantity=quantity
        )

        assert answer.status_code == 200
        assert part.movements.count() == 1

    def test_says_how_many_there_are(self, boss: User, desk: Client) -> None:
        part = make_part(boss, stock=5)

        dialog = text_of(desk.get(url(Part, "receive_stock", part.pk)))

        assert "5 in stock" in dialog
        assert "BRK-1" in dialog

    def test_tells_nothing_of_a_part_that_is_not_to_be_seen(self, boss: User) -> None:
        part = make_part(boss)
        blind = make_user("blind")
        blind.user_permissions.set(
            Permission.objects.filter(codename="adjust_quantity")
        )
        client = browser_of(blind)
        dialog = url(Part, "receive_stock", part.pk)

        assert "BRK-1" not in text_of(client.get(dialog))
        assert answer_dialog(client, dialog, quantity="1")[0].status_code == 403

    def test_is_for_those_who_may_adjust_the_stock(self, boss: User) -> None:
        part = make_part(boss)
        tina = browser_of(make_user("tina", TECHNICIAN))

        answer, _ = answer_dialog(
            tina, url(Part, "receive_stock", part.pk), quantity="1"
        )

        assert answer.status_code == 403
        assert "Receive" not in text_of(tina.get(url(Part, "changelist")))

    @pytest.mark.parametrize("pk", ["abc", "99999999999999999999", "0"])
    def test_finds_no_part_behind_a_strange_address(
        self, pk: str, desk: Client
    ) -> None:
        answer, _ = answer_dialog(desk, url(Part, "receive_stock", pk), quantity="1")

        assert answer.status_code == 404


class TestTheChart:
    def test_draws_the_stock_at_the_end_of_each_day(self, boss: User) -> None:
        part = make_part(boss, stock=10)
        moved(part, boss, delta=-4, days_ago=0)
        backdate(part.movements.get(delta=10), days_ago=2)

        stock, reorder = lines_of(part)

        assert stock == [10, 10, 6]
        assert reorder == [5, 5, 5]

    def test_ends_today_and_begins_with_the_first_movement(self, boss: User) -> None:
        part = make_part(boss, stock=10)
        backdate(part.movements.get(), days_ago=40)

        assert lines_of(part)[0] == [10] * 41

    def test_has_a_line_on_the_first_day(self, boss: User) -> None:
        assert lines_of(make_part(boss, stock=3))[0] == [3, 3]

    def test_is_left_out_where_nothing_ever_moved(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=0)

        assert stock_chart(part) is None
        assert "stock-chart" not in text_of(desk.get(page_of(part)))

    @pytest.mark.parametrize("days", [1, 2, 199, 200, 201, 202, 1000, 4000])
    def test_has_no_more_points_than_can_be_seen(self, days: int) -> None:
        today = date(2026, 6, 1)

        drawn = days_between(today - timedelta(days=days), today)

        assert 2 <= len(drawn) <= MAX_POINTS + 1
        assert drawn[-1] == today
        assert len({after - before for before, after in pairwise(drawn)}) == 1

    def test_stands_above_the_ledger(self, boss: User, desk: Client) -> None:
        part = make_part(boss, stock=10)

        page = text_of(desk.get(page_of(part)))

        assert page.index("stock-chart") < page.index("Initial stock")

    def test_is_hidden_from_those_who_may_not_see_movements(self, boss: User) -> None:
        part, vic = make_part(boss, stock=10), make_user("vic")
        vic.user_permissions.set(Permission.objects.filter(codename="view_part"))

        page = text_of(browser_of(vic).get(page_of(part)))

        assert "BRK-1" in page
        assert "stock-chart" not in page

    def test_takes_the_same_number_of_queries_for_any_number_of_movements(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=10)
        desk.get(page_of(part))
        few = queries_of_page(desk, part)
        for days in range(1, 300):
            moved(part, boss, delta=1, days_ago=days)

        assert queries_of_page(desk, part) == few


def moved(part: Part, by: User, *, delta: int, days_ago: int) -> None:
    backdate(adjust_stock(part=part, adjustment=delta, by=by), days_ago=days_ago)


def backdate(movement: StockMovement, *, days_ago: int) -> None:
    at = start_of_day(timezone.localdate() - timedelta(days=days_ago))
    StockMovement.objects.filter(pk=movement.pk).update(at=at)


def lines_of(part: Part) -> Any:
    chart = stock_chart(part)
    assert chart is not None
    return [line["data"] for line in json.loads(chart["data"])["datasets"]]


def queries_of_page(client: Client, part: Part) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page_of(part)).status_code == 200
    return len(queries)

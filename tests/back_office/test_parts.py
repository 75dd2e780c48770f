"""The page of a part: its stock is a ledger, its prices are money."""

from __future__ import annotations

import pytest
from django.test import Client

from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.core.money import format_cents
from tests.support.back_office import (
    answer_dialog,
    browser_of,
    fill_shop,
    form_of,
    make_part,
    make_user,
    page_of,
    post,
    text_of,
    url,
)

pytestmark = pytest.mark.django_db


class TestMoney:
    @pytest.mark.parametrize(
        ("cents", "shown"),
        [(0, "0.00"), (5, "0.05"), (123_450, "1,234.50"), (-150, "-1.50")],
    )
    def test_is_written_as_money(self, cents: int, shown: str) -> None:
        assert format_cents(cents) == shown

    def test_is_shown_as_money_in_the_list(self, boss: User, desk: Client) -> None:
        make_part(boss)

        assert "1,234.50" in text_of(desk.get(url(Part, "changelist")))

    def test_is_typed_as_money_and_kept_in_cents(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss)
        form = form_of(desk, page_of(part))
        assert form["current_cost_cents"] == "1234.50"

        post(desk, page_of(part), {**form, "current_cost_cents": "99.95"})

        part.refresh_from_db()
        assert part.current_cost_cents == 9995


class TestPartPage:
    def test_adds_a_part_whose_first_units_are_a_movement(
        self, boss: User, desk: Client
    ) -> None:
        form = form_of(desk, url(Part, "add"))
        form |= {"name": "Bulb", "current_cost_cents": "2", "quantity_in_stock": "7"}

        post(desk, url(Part, "add"), form)

        part = Part.objects.get()
        assert (part.quantity_in_stock, part.part_number[:2]) == (7, "P-")
        assert part.movements.get().by == boss

    def test_does_not_take_stock_from_a_posted_form(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)
        form = form_of(desk, page_of(part))

        post(desk, page_of(part), {**form, "name": "Pad", "quantity_in_stock": "500"})

        part.refresh_from_db()
        assert (part.name, part.quantity_in_stock) == ("Pad", 5)
        assert part.movements.count() == 1

    def test_refuses_a_number_that_differs_only_in_case(
        self, boss: User, desk: Client
    ) -> None:
        make_part(boss, "BRK-1")
        form = form_of(desk, url(Part, "add"))
        form |= {"part_number": "brk-1", "name": "Pad", "current_cost_cents": "2"}

        answer, _ = post(desk, url(Part, "add"), form)

        assert "A part with this number exists already." in text_of(answer)

    def test_adjusts_stock_with_a_movement_by_the_user(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)
        dialog = url(Part, "adjust_stock", part.pk)

        _, said = answer_dialog(desk, dialog, adjustment="-2", reason="adjust")

        part.refresh_from_db()
        assert (part.quantity_in_stock, said) == (3, "3 in stock.")
        assert part.movements.all()[0].by == boss

    def test_counts_stock(self, boss: User, desk: Client) -> None:
        part = make_part(boss, stock=5)

        answer_dialog(desk, url(Part, "count_stock", part.pk), counted="9")

        assert list(part.movements.values_list("delta", flat=True)) == [4, 5]

    def test_says_in_words_that_stock_cannot_be_negative(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)
        dialog = url(Part, "adjust_stock", part.pk)

        _, said = answer_dialog(desk, dialog, adjustment="-6", reason="adjust")

        assert said == "Only 5 of BRK-1 in stock, 6 requested."
        assert part.movements.count() == 1

    def test_sends_the_dialog_back_to_the_page_with_htmx(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss)

        answer = desk.post(
            url(Part, "count_stock", part.pk),
            {"counted": "9", "_form_submitted": "True"},
            headers={"HX-Request": "true"},
        )

        assert answer["HX-Redirect"] == page_of(part)

    def test_does_not_change_anything_on_get(self, boss: User, desk: Client) -> None:
        part = make_part(boss, stock=5)

        answer = desk.get(url(Part, "count_stock", part.pk), {"counted": "9"})

        assert answer.status_code == 200
        assert part.movements.count() == 1

    def test_keeps_stock_from_those_who_may_not_adjust_it(self, boss: User) -> None:
        part = make_part(boss)
        client = browser_of(make_user("tina", TECHNICIAN))

        answer, _ = answer_dialog(
            client, url(Part, "count_stock", part.pk), counted="9"
        )

        assert answer.status_code == 403
        assert "Count stock" not in text_of(client.get(page_of(part)))

    def test_lets_an_advisor_adjust_what_they_may_not_edit(self, boss: User) -> None:
        part = make_part(boss)
        client = browser_of(make_user("sven", SERVICE_ADVISOR))

        assert "Count stock" in text_of(client.get(page_of(part)))
        answer_dialog(client, url(Part, "count_stock", part.pk), counted="9")

        assert part.movements.count() == 2

    def test_deletes_a_part_with_its_movements(self, boss: User, desk: Client) -> None:
        part = make_part(boss)

        post(desk, page_of(part, "delete"), {"post": "yes"})

        assert not Part.objects.exists()

    def test_says_in_words_that_a_used_part_stays(
        self, boss: User, desk: Client
    ) -> None:
        fill_shop(boss, 0, 1)
        part = Part.objects.get()

        _, said = post(desk, page_of(part, "delete"), {"post": "yes"})

        assert "was used on a service ticket" in said
        assert Part.objects.exists()

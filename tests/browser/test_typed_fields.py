"""Numbers with commas and pasted texts: they arrive whole or come back whole."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import OWNER, PHONE, Browse, Counter, part_page, ticket_page
from .test_inventory import open_dialog, submit
from .test_ticket_work import save, type_part

VEHICLE = "/admin/customers/vehicle/2/change/"
DESK = {"width": 1440, "height": 900}
both_widths = pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])


def type_into(page: Page, name: str, text: str) -> None:
    """Type key by key, as ``fill`` does not."""
    field = page.locator(f"[name={name}]").locator("visible=true")
    field.fill("")
    field.press_sequentially(text)


def paste_into(page: Page, name: str, text: str) -> None:
    page.locator(f"[name={name}]").fill("")
    page.locator(f"[name={name}]").focus()
    page.keyboard.insert_text(text)


class TestCost:
    @both_widths
    def test_has_a_decimal_comma(
        self, viewport: Any, browse: Browse, counter: Counter
    ) -> None:
        part, _ = counter.add_part(stock=1)
        page = browse(OWNER, viewport=viewport)
        page.goto(part_page(part))

        type_into(page, "current_cost_cents", "15,65")
        save(page).click()

        expect(page.get_by_text("was changed successfully")).to_be_visible()
        expect(page.locator("[name=current_cost_cents]")).to_have_value("15.65")

    @both_widths
    def test_that_could_be_two_comes_back_as_typed(
        self, viewport: Any, browse: Browse, counter: Counter
    ) -> None:
        part, _ = counter.add_part(stock=1)
        page = browse(OWNER, viewport=viewport)
        page.goto(part_page(part))

        type_into(page, "current_cost_cents", "1,250")
        save(page).click()

        expect(page.get_by_text("Write 1250 or 1.25.")).to_be_visible()
        expect(page.locator("[name=current_cost_cents]")).to_have_value("1,250")

    def test_may_have_commas_between_thousands(
        self, browse: Browse, counter: Counter
    ) -> None:
        part, _ = counter.add_part(stock=1)
        page = browse(OWNER)
        page.goto(part_page(part))

        type_into(page, "current_cost_cents", "1,250.00")
        save(page).click()

        expect(page.get_by_text("was changed successfully")).to_be_visible()
        expect(page.locator("[name=current_cost_cents]")).to_have_value("1250.00")


class TestQuantity:
    @both_widths
    def test_is_never_fifteen_for_one_and_a_half(
        self, viewport: Any, browse: Browse, counter: Counter
    ) -> None:
        ticket, (part, number) = counter.open_ticket(), counter.add_part(stock=50)
        page = browse(OWNER, viewport=viewport)
        page.goto(ticket_page(ticket))

        type_part(page, number, 1)
        type_into(page, "ticket_parts-0-quantity_used", "1,5")
        save(page).click()

        field = page.locator("[name=ticket_parts-0-quantity_used]")
        expect(page.get_by_text("Write a whole number such as 12.")).to_be_visible()
        expect(field).to_have_value("1,5")
        assert counter.stock_of(part) == 50

    def test_of_a_dialog_stays_in_it(self, browse: Browse, counter: Counter) -> None:
        part, _ = counter.add_part(stock=5)
        page = browse(OWNER)
        page.goto(part_page(part))

        open_dialog(page, "Receive")
        type_into(page, "quantity", "1,5")
        submit(page, "Receive")

        expect(page.get_by_text("Write a whole number such as 12.")).to_be_visible()
        expect(page.locator("#dialog [name=quantity]")).to_have_value("1,5")
        assert counter.stock_of(part) == 5


class TestVin:
    @both_widths
    def test_is_pasted_whole(self, viewport: Any, browse: Browse) -> None:
        page = browse(OWNER, viewport=viewport)
        page.goto(VEHICLE)

        paste_into(page, "vin", "JTDKB-20U 0876 54321")
        save(page).click()

        expect(page.get_by_text("was changed successfully")).to_be_visible()
        expect(page.locator("[name=vin]")).to_have_value("JTDKB20U087654321")

    def test_that_is_too_long_is_refused_whole(self, browse: Browse) -> None:
        page = browse(OWNER)
        page.goto(VEHICLE)

        paste_into(page, "vin", "JTDKB20U0876543210")
        save(page).click()

        expect(page.get_by_text("A VIN has no more than 17 characters")).to_be_visible()
        expect(page.locator("[name=vin]")).to_have_value("JTDKB20U0876543210")

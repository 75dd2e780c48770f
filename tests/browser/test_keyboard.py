"""The back office without a mouse."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .conftest import OWNER, Browse, Counter, ticket_page


def press_until_focused(page: Page, selector: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


class TestMenuBesideASelect:
    def test_opens_with_enter(self, browse: Browse, counter: Counter) -> None:
        page = browse(OWNER)
        page.goto(ticket_page(counter.open_ticket()))
        page.locator("#id_vehicle").evaluate("field => field.parentElement.focus()")
        press_until_focused(page, '[x-ref^="relatedWidgetWrapper"]')

        page.keyboard.press("Enter")

        expect(page.locator("#add_id_vehicle")).to_be_visible()
        expect(page.locator("nav[id^=related-widget-wrapper] a:focus")).to_have_count(1)


class TestDialog:
    def test_keeps_the_focus_and_gives_it_back(
        self, browse: Browse, counter: Counter
    ) -> None:
        page = browse(OWNER)
        page.goto(ticket_page(counter.open_ticket()))
        button = page.get_by_role("link", name="Write a note")
        button.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        expect(page.locator("#modal-content [name=text]")).to_be_focused()

        for _ in range(12):
            page.keyboard.press("Tab")
            inside = "document.activeElement.closest('#modal-content') !== null"
            assert page.evaluate(inside)
        page.keyboard.press("Escape")

        expect(button).to_be_focused()

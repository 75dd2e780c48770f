"""A ticket's way through the shop, as the people there click it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from .conftest import ADVISOR, OWNER, Browse, Counter, Watch, ticket_page

BOARD = "/admin/tickets/serviceticket/board/"
#: More than there is on the way to the first cards.
MOST_TABS = 120


def pick(page: Page, field: str, words: str) -> None:
    """Choose in a box that searches while one types."""
    page.locator(f"[name={field}] + .select2").click()
    page.keyboard.type(words)
    page.locator(".select2-results__option", has_text=words).click()


def open_tab(page: Page, name: str) -> None:
    page.locator(f"a[href='#{name}']").click()


def add_row(page: Page, kind: str) -> int:
    """Add a row to a tab of the ticket and return its number."""
    page.locator(f"#{kind}-group .add-row").locator("visible=true").click()
    total = page.locator(f"[name={kind}-TOTAL_FORMS]").input_value()
    return int(total) - 1


def type_part(page: Page, number: str, quantity: int) -> None:
    open_tab(page, "ticket_parts")
    row = add_row(page, "ticket_parts")
    pick(page, f"ticket_parts-{row}-part", number)
    page.locator(f"[name=ticket_parts-{row}-quantity_used]").fill(str(quantity))


def save(page: Page) -> Locator:
    return page.get_by_role("button", name="Save and continue editing")


class TestTicket:
    def test_gets_a_mechanic(self, browse: Browse, counter: Counter) -> None:
        ticket = counter.open_ticket()
        page = browse(ADVISOR)
        page.goto(ticket_page(ticket))

        open_tab(page, "ticket_mechanics")
        row = add_row(page, "ticket_mechanics")
        pick(page, f"ticket_mechanics-{row}-mechanic", "Kofi Asante")
        save(page).click()

        expect(page.get_by_text("was changed successfully")).to_be_visible()
        (assigned,) = counter.ticket(ticket)["ticket_mechanics"]
        assert assigned["mechanic"]["full_name"] == "Kofi Asante"

    def test_gets_a_part_from_the_shelf(self, browse: Browse, counter: Counter) -> None:
        ticket, (part, number) = counter.open_ticket(), counter.add_part(stock=5)
        page = browse(OWNER)
        page.goto(ticket_page(ticket))

        type_part(page, number, 2)
        save(page).click()

        expect(page.locator(".ticket-head .ticket-money")).to_have_text("26.00")
        assert counter.stock_of(part) == 3

    def test_is_told_of_a_shortage_and_installs_nothing(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket, (part, number) = counter.open_ticket(), counter.add_part(stock=1)
        page = browse(OWNER)
        page.goto(ticket_page(ticket))

        type_part(page, number, 4)
        save(page).click()

        words = f"Only 1 of {number} in stock, 4 requested."
        expect(page.get_by_text(words)).to_be_visible()
        assert counter.stock_of(part) == 1
        assert counter.ticket(ticket)["ticket_parts"] == []

    def test_is_completed_in_a_dialog(self, browse: Browse, counter: Counter) -> None:
        ticket = counter.open_ticket()
        counter.api.put(f"/service-tickets/{ticket}", json={"status": "in_progress"})
        page = browse(OWNER)
        page.goto(ticket_page(ticket))

        page.get_by_role("link", name="Complete").click()
        page.get_by_role("button", name="Yes").click()

        expect(page.get_by_text(f"Ticket {ticket} is completed.")).to_be_visible()
        assert counter.ticket(ticket)["status"] == "completed"

    def test_installs_once_however_often_somebody_clicks(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket, (part, number) = counter.open_ticket(), counter.add_part(stock=9)
        page = browse(OWNER)
        page.goto(ticket_page(ticket))

        type_part(page, number, 2)
        save(page).dblclick()

        expect(page.locator(".ticket-head .ticket-money")).to_have_text("26.00")
        assert counter.stock_of(part) == 7

    def test_installs_once_where_the_form_is_sent_twice(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket, (part, number) = counter.open_ticket(), counter.add_part(stock=9)
        page = browse(OWNER)
        page.goto(ticket_page(ticket))

        type_part(page, number, 2)
        page.evaluate(
            """async () => {
                const form = document.querySelector("#serviceticket_form");
                const post = () =>
                    fetch(location.href, {method: "POST", body: new FormData(form)});
                await Promise.all([post(), post()]);
            }"""
        )

        assert counter.stock_of(part) == 7

    def test_keeps_a_newer_change(
        self, browse: Browse, counter: Counter, watch: Watch
    ) -> None:
        ticket = counter.open_ticket()
        slow, quick = browse(ADVISOR), browse(OWNER)
        for page in (slow, quick):
            page.goto(ticket_page(ticket))

        quick.locator("[name=problem_description]").fill("Rattles always.")
        save(quick).click()
        expect(quick.get_by_text("was changed successfully")).to_be_visible()
        slow.locator("[name=problem_description]").fill("Rattles at times.")
        save(slow).click()

        watch.forgive("status of 409")
        expect(slow.locator("[data-newer-change]")).to_contain_text("Somebody else")
        expect(slow.get_by_text("Stored by now: Rattles always.")).to_be_visible()
        assert counter.ticket(ticket)["problem_description"] == "Rattles always."


class TestJobSheet:
    def test_prints_without_what_leads_elsewhere(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket = counter.open_ticket()
        page = browse(ADVISOR)
        page.goto(ticket_page(ticket))

        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Print").click()
        sheet = opened.value

        expect(sheet.get_by_role("heading", name="Job sheet")).to_be_visible()
        expect(sheet.get_by_role("button", name="Print")).to_be_visible()
        sheet.emulate_media(media="print")
        expect(sheet.get_by_role("heading", name="Job sheet")).to_be_visible()
        expect(sheet.locator("nav")).to_be_hidden()


class TestBoard:
    def test_moves_a_card_by_its_button(self, browse: Browse, counter: Counter) -> None:
        ticket = counter.open_ticket(priority=1)
        page = browse(OWNER)
        page.goto(BOARD)

        page.get_by_role("button", name=f"Start Ticket {ticket}", exact=True).click()

        expect(card_in(page, "in_progress", ticket)).to_be_visible()
        assert counter.ticket(ticket)["status"] == "in_progress"

    def test_moves_a_card_with_the_keyboard_alone(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket = counter.open_ticket(priority=1)
        page = browse(OWNER)
        page.goto(BOARD)

        tab_to(page, f"Start Ticket {ticket}")
        page.keyboard.press("Enter")

        expect(card_in(page, "in_progress", ticket)).to_be_visible()
        assert counter.ticket(ticket)["status"] == "in_progress"


def card_in(page: Page, column: str, ticket: str) -> Locator:
    return page.locator(f"#column-{column} #ticket-{ticket}")


def tab_to(page: Page, label: str) -> None:
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.locator(":focus").get_attribute("aria-label") == label:
            return
    raise AssertionError(f"No Tab leads to “{label}”.")

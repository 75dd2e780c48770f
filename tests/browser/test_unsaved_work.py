"""Work that is not saved yet: pages ask, dialogs save first, sessions come back."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Dialog, FilePayload, Page, expect

from .conftest import (
    ADVISOR,
    MANAGER,
    OWNER,
    PASSWORD,
    PHONE,
    Browse,
    Counter,
    Watch,
    part_page,
    ticket_page,
)
from .test_inventory import open_dialog
from .test_ticket_work import save, type_part

PROBLEM = "[name=problem_description]"
CUSTOMERS = "/admin/customers/customer/"


class Asked:
    """Stay on a page that asks, and remember what was asked."""

    def __init__(self, page: Page) -> None:
        self.kinds: list[str] = []
        page.on("dialog", self._stay)

    def _stay(self, dialog: Dialog) -> None:
        self.kinds.append(dialog.type)
        dialog.dismiss()


def go_elsewhere(page: Page) -> None:
    """Follow a link of the page by its own script, which waits for nothing."""
    page.evaluate(f"() => {{ location.href = '{CUSTOMERS}'; }}")
    page.wait_for_timeout(500)


def end_session(context: BrowserContext) -> None:
    context.clear_cookies(name="sessionid")


def sign_in_over(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in and save").click()


class TestLeaving:
    def test_asks_where_something_changed(
        self, browse: Browse, counter: Counter
    ) -> None:
        page = browse(OWNER)
        page.goto(ticket_page(counter.open_ticket()))
        asked = Asked(page)

        page.locator(PROBLEM).fill("Knocks when cold.")
        go_elsewhere(page)

        assert asked.kinds == ["beforeunload"]
        expect(page.locator(PROBLEM)).to_have_value("Knocks when cold.")

    def test_asks_for_a_row_that_was_added(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket, (_, number) = counter.open_ticket(), counter.add_part(stock=5)
        page = browse(OWNER)
        page.goto(ticket_page(ticket))
        asked = Asked(page)

        type_part(page, number, 2)
        go_elsewhere(page)

        assert asked.kinds == ["beforeunload"]

    def test_asks_nothing_where_nothing_changed(
        self, browse: Browse, counter: Counter
    ) -> None:
        page = browse(OWNER)
        page.goto(ticket_page(counter.open_ticket()))
        asked = Asked(page)

        page.locator(PROBLEM).fill("Knocks.")
        page.locator(PROBLEM).fill("Rattles over cobbles.")
        page.get_by_role("link", name="Customers").first.click()

        page.wait_for_url(f"**{CUSTOMERS}**")
        assert asked.kinds == []

    def test_asks_nothing_when_it_is_saved(
        self, browse: Browse, counter: Counter
    ) -> None:
        page = browse(OWNER)
        page.goto(ticket_page(counter.open_ticket()))
        asked = Asked(page)

        page.locator(PROBLEM).fill("Knocks.")
        page.get_by_role("button", name="Save", exact=True).click()

        page.wait_for_url("**/serviceticket/")
        assert asked.kinds == []

    def test_asks_where_a_form_was_rejected(
        self, browse: Browse, counter: Counter
    ) -> None:
        page = browse(OWNER)
        page.goto(ticket_page(counter.open_ticket()))
        asked = Asked(page)

        page.locator("[name=odometer_miles]").fill("many")
        save(page).click()
        expect(page.get_by_text("Write a whole number")).to_be_visible()
        page.locator(PROBLEM).click()
        go_elsewhere(page)

        assert asked.kinds == ["beforeunload"]


class TestDialog:
    def test_saves_the_page_first(self, browse: Browse, counter: Counter) -> None:
        ticket, (part, number) = counter.open_ticket(), counter.add_part(stock=5)
        page = browse(OWNER, viewport=PHONE)
        page.goto(ticket_page(ticket))

        type_part(page, number, 2)
        page.get_by_role("link", name="Write a note").click()
        page.locator("#dialog [name=text]").fill("Customer called.")
        page.locator("#dialog").get_by_role("button", name="Save").click()

        expect(page.get_by_text("The note is on the timeline.")).to_be_visible()
        assert counter.stock_of(part) == 3

    def test_waits_until_a_rejected_page_is_mended(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket, (part, number) = counter.open_ticket(), counter.add_part(stock=1)
        page = browse(OWNER)
        page.goto(ticket_page(ticket))

        type_part(page, number, 2)
        page.get_by_role("link", name="Write a note").click()

        expect(page.get_by_text("Only 1 of")).to_be_visible()
        expect(page.locator("#dialog")).to_be_hidden()
        expect(page.locator("[name=ticket_parts-0-quantity_used]")).to_have_value("2")
        assert counter.stock_of(part) == 1

    def test_that_was_clicked_away_keeps_its_text(
        self, browse: Browse, counter: Counter
    ) -> None:
        page = browse(OWNER)
        page.goto(ticket_page(counter.open_ticket()))

        page.get_by_role("link", name="Write a note").click()
        page.locator("#dialog [name=text]").fill("Customer called.")
        page.keyboard.press("Escape")
        expect(page.locator("#dialog")).to_be_hidden()
        page.get_by_role("link", name="Write a note").click()

        expect(page.locator("#dialog [name=text]")).to_have_value("Customer called.")


class TestEndedSession:
    def test_signs_in_over_the_page_and_saves(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket, (part, number) = counter.open_ticket(), counter.add_part(stock=5)
        page = browse(ADVISOR, viewport=PHONE)
        page.goto(ticket_page(ticket))
        page.locator(PROBLEM).fill("Knocks when cold.")
        type_part(page, number, 2)

        page.context.clear_cookies()
        save(page).click()
        expect(page.get_by_text("Your session has ended.")).to_be_visible()
        sign_in_over(page)

        expect(page.get_by_text("was changed successfully")).to_be_visible()
        assert counter.stock_of(part) == 3
        assert counter.ticket(ticket)["problem_description"] == "Knocks when cold."

    def test_says_that_the_password_is_wrong(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket = counter.open_ticket()
        page = browse(ADVISOR)
        page.goto(ticket_page(ticket))
        page.locator(PROBLEM).fill("Knocks.")

        end_session(page.context)
        save(page).click()
        sign_in_over(page, "wrong")
        expect(page.locator(".shop-sign-in-problem")).to_contain_text("correct")
        sign_in_over(page)

        expect(page.get_by_text("was changed successfully")).to_be_visible()

    def test_may_wait(self, browse: Browse, counter: Counter) -> None:
        ticket = counter.open_ticket()
        page = browse(ADVISOR)
        page.goto(ticket_page(ticket))
        page.locator(PROBLEM).fill("Knocks.")

        end_session(page.context)
        save(page).click()
        page.get_by_role("button", name="Not now").click()

        expect(page.locator(".shop-sign-in")).to_be_hidden()
        expect(page.locator(PROBLEM)).to_have_value("Knocks.")
        expect(save(page)).to_be_enabled()

    def test_of_another_user_is_said(self, browse: Browse, counter: Counter) -> None:
        ticket = counter.open_ticket()
        page, other = browse(ADVISOR), browse(MANAGER)
        page.goto(ticket_page(ticket))
        page.locator(PROBLEM).fill("Knocks.")

        other.goto("/admin/")
        page.context.clear_cookies()
        page.context.add_cookies(other.context.cookies())  # type: ignore[arg-type]
        save(page).click()

        expect(page.get_by_text(f"{MANAGER} is signed in now")).to_be_visible()
        assert counter.ticket(ticket)["problem_description"] != "Knocks."

    def test_with_a_new_token_of_another_tab_saves(
        self, browse: Browse, counter: Counter
    ) -> None:
        page = browse(ADVISOR)
        page.goto(ticket_page(counter.open_ticket()))
        page.locator(PROBLEM).fill("Knocks.")

        page.context.clear_cookies(name="csrftoken")
        save(page).click()

        expect(page.get_by_text("was changed successfully")).to_be_visible()

    def test_opens_a_dialog_after_the_sign_in(
        self, browse: Browse, counter: Counter
    ) -> None:
        part, _ = counter.add_part(stock=5)
        page = browse(OWNER)
        page.goto(part_page(part))

        end_session(page.context)
        page.get_by_role("link", name="Receive").click()
        sign_in_over(page)

        expect(page.locator("#dialog [name=quantity]")).to_be_visible()

    def test_keeps_what_was_typed_into_a_dialog(
        self, browse: Browse, counter: Counter
    ) -> None:
        part, _ = counter.add_part(stock=5)
        page = browse(OWNER)
        page.goto(part_page(part))

        open_dialog(page, "Receive")
        page.locator("#dialog [name=quantity]").fill("7")
        end_session(page.context)
        page.locator("#dialog").get_by_role("button", name="Receive").click()
        sign_in_over(page)

        expect(page.get_by_text("12 in stock.")).to_be_visible()
        assert counter.stock_of(part) == 12

    def test_keeps_the_selected_rows(self, browse: Browse, counter: Counter) -> None:
        ticket = counter.open_ticket()
        page = browse(OWNER)
        page.goto("/admin/tickets/serviceticket/?o=-1")
        page.locator(f"input.action-select[value='{ticket}']").check()
        page.locator("select[name=action]").first.select_option("start_selected")

        end_session(page.context)
        page.get_by_role("button", name="Run").first.click()
        sign_in_over(page)

        expect(page.get_by_text("Start work on 1 ticket?")).to_be_visible()

    def test_keeps_a_chosen_file(self, browse: Browse) -> None:
        page = browse(OWNER)
        page.goto("/admin/inventory/part/import/")
        rows = b"Part number,Name,Cost,Quantity in stock\nKEPT-1,Belt,9.50,3\n"
        file = FilePayload(name="parts.csv", mimeType="text/csv", buffer=rows)
        page.locator("[name=import_file]").set_input_files(files=[file])

        end_session(page.context)
        page.get_by_role("button", name="Check the file").click()
        sign_in_over(page)

        expect(page.get_by_text("KEPT-1").first).to_be_visible()


class TestServer:
    def test_that_is_away_costs_nothing(
        self, browse: Browse, counter: Counter, watch: Watch
    ) -> None:
        ticket = counter.open_ticket()
        page = browse(ADVISOR)
        page.goto(ticket_page(ticket))
        page.locator(PROBLEM).fill("Knocks.")

        watch.forgive("ERR_INTERNET_DISCONNECTED")
        page.context.set_offline(True)
        save(page).click()
        expect(page.get_by_text("The server does not answer.")).to_be_visible()
        page.context.set_offline(False)
        page.get_by_role("button", name="Try again").click()

        expect(page.get_by_text("was changed successfully")).to_be_visible()
        assert counter.ticket(ticket)["problem_description"] == "Knocks."

"""The browsable API in a browser: its forms work, on a phone and in the dark too."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .conftest import OWNER, PASSWORD, PHONE, Browse, Counter, Watch
from .test_look import barriers_on, brightness_of_ground

PAGES = (
    *("/api/", "/api/customers", "/api/service-tickets?status=open"),
    *("/api/service-tickets/1", "/api/inventory/1"),
)
#: What the browser itself says of an answer that refuses.
REFUSED = "the server responded with a status of"


@pytest.fixture
def page_of_owner(browse: Browse) -> Page:
    return browse(OWNER)


class TestLook:
    def test_is_free_of_barriers(self, page_of_owner: Page) -> None:
        for path in PAGES:
            page_of_owner.goto(path)
            assert barriers_on(page_of_owner) == []

    def test_can_be_read_in_the_dark(self, browse: Browse) -> None:
        page = browse(OWNER, color_scheme="dark")

        for path in PAGES:
            page.goto(path)
            assert brightness_of_ground(page) < 0.15
            assert barriers_on(page, ["color-contrast"]) == []

    def test_of_the_login_is_free_of_barriers(self, page: Page) -> None:
        page.goto("/api/login/")

        assert barriers_on(page) == []

    def test_never_scrolls_sideways_on_a_phone(self, browse: Browse) -> None:
        page = browse(OWNER, viewport=PHONE, has_touch=True)

        for path in (*PAGES, "/api/login/"):
            page.goto(path)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= PHONE["width"], path


class TestVisitor:
    def test_signs_in_and_comes_back_and_goes(self, page: Page, watch: Watch) -> None:
        watch.forgive(REFUSED)
        page.goto("/api/inventory?low_stock=true")
        page.get_by_role("alert").get_by_role("link", name="Log in").click()
        page.get_by_label("Email").fill(OWNER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()

        expect(page).to_have_url("/api/inventory?low_stock=true")
        page.get_by_role("button", name="Log out").click()

        expect(page).to_have_url("/api/")
        expect(page.get_by_role("link", name="Log in")).to_be_visible()

    def test_filters_a_list_and_turns_its_pages(self, page_of_owner: Page) -> None:
        page = page_of_owner
        page.goto("/api/service-tickets")
        page.get_by_text("Filters", exact=True).click()
        page.locator(".filters").get_by_label("Status").select_option("completed")
        page.get_by_role("button", name="Apply").click()

        expect(page).to_have_url("/api/service-tickets?status=completed")
        page.get_by_role("link", name="Next").click()

        expect(page).to_have_url("/api/service-tickets?page=2&status=completed")
        expect(page.get_by_label("Body")).to_contain_text('"status": "completed"')

    def test_opens_a_row_from_its_list(self, page_of_owner: Page) -> None:
        page_of_owner.goto("/api/customers")

        page_of_owner.get_by_label("Rows").get_by_role("link", name="2").first.click()

        expect(page_of_owner.locator("h1")).to_have_text("Customer 2")


class TestForm:
    def test_says_what_is_wrong_and_then_changes_the_row(
        self, page_of_owner: Page, counter: Counter, watch: Watch
    ) -> None:
        watch.forgive(REFUSED)
        page, (part, _) = page_of_owner, counter.add_part(stock=1)
        page.goto(f"/api/inventory/{part}")
        name = page.get_by_role("textbox", name="Name")
        name.fill("")
        page.get_by_role("button", name="PUT").first.click()

        expect(name).to_have_accessible_description("This field may not be blank.")
        name.fill("Left mirror")
        page.get_by_role("checkbox", name="Active").uncheck()
        page.get_by_role("button", name="PUT").first.click()

        expect(page.get_by_role("status")).to_contain_text("200 OK")
        changed = counter.api.get(f"/inventory/{part}").json()
        assert (changed["name"], changed["is_active"]) == ("Left mirror", False)

    def test_puts_several_mechanics_on_a_ticket(
        self, page_of_owner: Page, counter: Counter, watch: Watch
    ) -> None:
        watch.forgive(REFUSED)
        page, ticket = page_of_owner, counter.open_ticket()
        page.goto(f"/api/service-tickets/{ticket}")
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Add ids").fill("1, 2")
        page.get_by_role("button", name="PUT").first.click()

        expect(page.get_by_role("status")).to_contain_text("2 added, 0 removed.")
        assert len(counter.ticket(ticket)["ticket_mechanics"]) == 2

    def test_adjusts_a_stock(
        self, page_of_owner: Page, counter: Counter, watch: Watch
    ) -> None:
        watch.forgive(REFUSED)
        page, (part, _) = page_of_owner, counter.add_part(stock=3)
        page.goto(f"/api/inventory/{part}/adjust-quantity")
        page.get_by_label("Adjustment").fill("4")
        page.get_by_label("Reason").select_option("receive")
        page.get_by_role("button", name="PATCH").first.click()

        expect(page.get_by_role("status")).to_contain_text("7 in stock.")
        assert counter.stock_of(part) == 7

    def test_takes_raw_data(self, page_of_owner: Page, counter: Counter) -> None:
        page, (part, _) = page_of_owner, counter.add_part(stock=1)
        page.goto(f"/api/inventory/{part}")
        page.get_by_text("Raw data").click()
        page.get_by_label("Content").fill('{"supplier": "Acme"}')
        page.get_by_role("button", name="PATCH").click()

        expect(page.get_by_role("status")).to_contain_text("200 OK")
        expect(page.get_by_label("Body")).to_contain_text('"supplier": "Acme"')

    def test_deletes_after_a_question(
        self, page_of_owner: Page, counter: Counter
    ) -> None:
        page, (part, _) = page_of_owner, counter.add_part(stock=1)
        page.goto(f"/api/inventory/{part}")
        page.get_by_text("Delete…").click()
        page.get_by_role("button", name="Delete").click()

        expect(page.get_by_role("status")).to_contain_text("204 No Content")
        assert counter.api.get(f"/inventory/{part}").status_code == 404

    def test_of_options_shows_what_may_be_sent(self, page_of_owner: Page) -> None:
        page_of_owner.goto("/api/inventory")

        page_of_owner.get_by_role("button", name="OPTIONS").click()

        expect(page_of_owner.get_by_label("Body")).to_contain_text('"actions"')

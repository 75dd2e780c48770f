"""What each role finds in the back office, and what it does not."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import (
    ADVISOR,
    MANAGER,
    OWNER,
    TECHNICIAN,
    Browse,
    Counter,
    part_page,
    ticket_page,
)

EVERYBODY = [
    "Dashboard",
    "Work board",
    "Tickets",
    "Mechanics",
    "Customers",
    "Vehicles",
    "Parts",
    "Stock movements",
]
MENUS = {
    TECHNICIAN: EVERYBODY,
    ADVISOR: EVERYBODY,
    MANAGER: [*EVERYBODY, "Users", "Mail and tasks"],
    OWNER: [*EVERYBODY, "Users", "Groups", "Sessions", "Mail and tasks"],
}
#: What only a manager may touch.
PAGES = ("/admin/mechanics/mechanic/1/change/", part_page("1"), ticket_page("1"))
MECHANICS = "/admin/mechanics/mechanic/"


def entries_of(page: Page) -> list[str]:
    links = page.locator("#nav-sidebar-apps a, #nav-sidebar li a")
    words = links.evaluate_all("all => all.map(a => a.innerText.trim())")
    return [word.rpartition("\n")[2] for word in words]


class TestRole:
    @pytest.mark.parametrize("email", MENUS)
    def test_sees_its_entries_in_the_menu(self, browse: Browse, email: str) -> None:
        page = browse(email)
        page.goto("/admin/")

        assert entries_of(page) == MENUS[email]

    @pytest.mark.parametrize("email", [TECHNICIAN, ADVISOR])
    def test_without_the_right_sees_no_salary_and_deletes_nothing(
        self, browse: Browse, email: str
    ) -> None:
        page = browse(email)

        page.goto(MECHANICS)
        expect(page.locator("#result_list")).to_contain_text("Rosalind Okafor")
        expect(page.get_by_text("Salary")).to_have_count(0)
        for path in PAGES:
            page.goto(path)
            expect(page.locator("#content, #main").first).to_be_visible()
            expect(page.locator("a[href$='/delete/']")).to_have_count(0)
            expect(page.get_by_text("Salary")).to_have_count(0)

    def test_of_a_manager_sees_salaries_and_may_delete(self, browse: Browse) -> None:
        page = browse(MANAGER)

        page.goto(MECHANICS)
        expect(page.locator("#result_list thead")).to_contain_text("Salary")
        page.goto(ticket_page("1"))
        expect(page.locator("a[href$='/delete/']")).to_be_visible()

    def test_of_a_technician_cancels_no_ticket(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket = counter.open_ticket()
        page = browse(TECHNICIAN)
        page.goto(ticket_page(ticket))

        expect(page.get_by_role("link", name="Start work")).to_be_visible()
        expect(page.get_by_role("link", name="Cancel ticket")).to_have_count(0)


class TestSearch:
    @pytest.mark.parametrize(
        ("term", "found", "path"),
        [
            # An open ticket comes first: that is what a call is about.
            ("555-0103", "Keiko Tanigawa", "/admin/tickets/serviceticket/"),
            ("243810", "Toyota Camry", ticket_page("1")),
            ("brk-1101", "Front brake pads", part_page("1")),
            ("#12", "Ticket 12", ticket_page("12")),
        ],
        ids=["phone", "vin", "part", "ticket"],
    )
    def test_finds_and_opens(
        self, browse: Browse, term: str, found: str, path: str
    ) -> None:
        page = browse(OWNER)
        page.goto("/admin/")

        page.keyboard.press("Control+k")
        page.locator("#search-input-command").press_sequentially(term)
        result = page.locator("#command-results-list a", has_text=found).first
        expect(result).to_be_visible()
        result.click()

        expect(page).to_have_url(re.compile(re.escape(path)))

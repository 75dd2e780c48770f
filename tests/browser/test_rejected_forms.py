"""A rule says no: everything typed is still there, and one click helps."""

from __future__ import annotations

from playwright.sync_api import expect

from .conftest import OWNER, PHONE, Browse, Counter, part_page, ticket_page
from .test_inventory import open_dialog, submit
from .test_ticket_work import save, type_part


class TestShortPart:
    def test_keeps_the_page_and_offers_the_rest(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket, (part, number) = counter.open_ticket(), counter.add_part(stock=13)
        page = browse(OWNER, viewport=PHONE)
        page.goto(ticket_page(ticket))

        page.locator("[name=problem_description]").fill("Knocks when cold.")
        type_part(page, number, 20)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Only 13 of")).to_be_visible()
        expect(page.locator("[name=problem_description]")).to_have_value(
            "Knocks when cold."
        )
        expect(page.locator("[name=ticket_parts-0-quantity_used]")).to_have_value("20")
        assert counter.stock_of(part) == 13
        page.get_by_role("button", name="Take 13").click()

        expect(page.get_by_text("was changed successfully")).to_be_visible()
        assert counter.stock_of(part) == 0
        assert counter.ticket(ticket)["problem_description"] == "Knocks when cold."

    def test_can_be_typed_over_and_saved(
        self, browse: Browse, counter: Counter
    ) -> None:
        ticket, (part, number) = counter.open_ticket(), counter.add_part(stock=13)
        page = browse(OWNER)
        page.goto(ticket_page(ticket))

        type_part(page, number, 20)
        save(page).click()
        page.locator("[name=ticket_parts-0-quantity_used]").fill("2")
        save(page).click()

        expect(page.get_by_text("was changed successfully")).to_be_visible()
        assert counter.stock_of(part) == 11


class TestVehicleOfAnother:
    def test_offers_its_owner(self, browse: Browse, counter: Counter) -> None:
        ticket = counter.open_ticket(vehicle_id=5, customer_id=5)
        page = browse(OWNER)
        page.goto(ticket_page(ticket))

        page.locator("[name=vehicle] + .select2").click()
        page.keyboard.type("Toyota")
        page.locator(".select2-results__option", has_text="Toyota").first.click()
        save(page).click()
        page.get_by_role("button", name="Choose").click()

        expect(page.get_by_text("was changed successfully")).to_be_visible()
        assert counter.ticket(ticket)["customer_id"] != 5


class TestSelection:
    def test_stays_and_offers_to_leave_out_what_cannot_move(
        self, browse: Browse, counter: Counter
    ) -> None:
        tickets = [counter.open_ticket(), counter.open_ticket()]
        page = browse(OWNER)
        page.goto("/admin/tickets/serviceticket/?o=-1")

        for ticket in tickets:
            page.locator(f"input.action-select[value='{ticket}']").check()
        page.locator("select[name=action]").first.select_option("start_selected")
        page.get_by_role("button", name="Run").first.click()
        expect(page.get_by_text("Start work on 2 tickets?")).to_be_visible()
        cancelled = {"status": "cancelled"}
        counter.api.put(f"/service-tickets/{tickets[1]}", json=cancelled)
        page.get_by_role("button", name="Yes, start").click()
        expect(page.get_by_text("cannot become in progress").first).to_be_visible()
        page.get_by_role("button", name="the other 1 ticket").click()

        expect(page.get_by_text("1 ticket is in progress.")).to_be_visible()
        assert counter.ticket(tickets[0])["status"] == "in_progress"


class TestDialog:
    def test_stays_open_and_offers_the_rest(
        self, browse: Browse, counter: Counter
    ) -> None:
        part, _ = counter.add_part(stock=5)
        page = browse(OWNER)
        page.goto(part_page(part))

        open_dialog(page, "Adjust stock")
        page.locator("#dialog [name=adjustment]").fill("-6")
        page.locator("#dialog [name=note]").fill("Fell into the pit.")
        submit(page, "Adjust")

        expect(page.locator("#dialog")).to_contain_text("6 requested.")
        expect(page.locator("#dialog [name=note]")).to_have_value("Fell into the pit.")
        page.get_by_role("button", name="Take away 5").click()
        expect(page.locator("#dialog")).to_be_hidden()
        assert counter.stock_of(part) == 0

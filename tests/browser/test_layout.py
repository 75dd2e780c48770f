"""Pages fit every screen, whatever the length of the names on them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from .conftest import OWNER, PHONE, Browse, Counter, part_page, ticket_page

#: A phone, a tablet, a small laptop and a desk, in pixels.
WIDTHS = (390, 820, 1280, 1440)
#: One word, which no blank lets break.
NAME = "Donaudampfschifffahrtsgesellschaftskapitaenswitwenkassenwart"
TICKETS = "/admin/tickets/serviceticket/"


@dataclass(frozen=True)
class LongRows:
    """The ids of rows whose names have 60 characters."""

    customer: str
    vehicle: str
    mechanic: str
    part: str
    ticket: str


@pytest.fixture(scope="session")
def long_rows(counter: Counter) -> LongRows:
    names = {"first_name": NAME, "last_name": NAME, "phone": "555-0399"}
    customer = counter.post("/customers/", names)
    vehicle = counter.post(
        f"/customers/{customer['customer_id']}/vehicles",
        {
            "year": 2010,
            "make": NAME,
            "model": NAME,
            "license_plate": "LONG-PLATE-123",
        },
    )
    person = {"full_name": NAME, "email": f"{NAME[:40]}@example.com"}
    mechanic = counter.post("/mechanics/", {**person, "phone": "555-0398", "salary": 1})
    part = counter.post(
        "/inventory/",
        {
            "part_number": NAME,
            "name": NAME,
            "supplier": NAME,
            "category": NAME,
            "current_cost_cents": 123_456,
            "quantity_in_stock": 9,
            "reorder_level": 99,
        },
    )
    ticket = counter.open_ticket(
        vehicle_id=vehicle["vehicle_id"],
        customer_id=customer["customer_id"],
        problem_description=NAME,
        priority=1,
    )
    counter.put(f"/service-tickets/{ticket}/assign-mechanic/{mechanic['mechanic_id']}")
    counter.post(
        f"/service-tickets/{ticket}/parts/{part['part_id']}", {"quantity_used": 1}
    )
    return LongRows(
        customer=str(customer["customer_id"]),
        vehicle=str(vehicle["vehicle_id"]),
        mechanic=str(mechanic["mechanic_id"]),
        part=str(part["part_id"]),
        ticket=ticket,
    )


def pages_of(rows: LongRows) -> list[str]:
    ticket = ticket_page(rows.ticket)
    return [
        "/admin/",
        TICKETS,
        f"{TICKETS}board/",
        f"{TICKETS}add/",
        f"{TICKETS}{rows.ticket}/print/",
        ticket,
        *(f"{ticket}#{tab}" for tab in ("ticket_mechanics", "ticket_parts", "events")),
        "/admin/inventory/part/",
        part_page(rows.part),
        "/admin/customers/customer/",
        f"/admin/customers/customer/{rows.customer}/change/",
        "/admin/customers/vehicle/",
        f"/admin/customers/vehicle/{rows.vehicle}/change/",
        "/admin/mechanics/mechanic/",
        f"/admin/mechanics/mechanic/{rows.mechanic}/change/",
    ]


def overhang(page: Page, width: int) -> int:
    page.set_viewport_size({"width": width, "height": 900})
    return int(page.evaluate("document.documentElement.scrollWidth")) - width


def phone_page(browse: Browse, rows: LongRows) -> Page:
    page = browse(OWNER, viewport=PHONE, has_touch=True)
    page.goto(f"{ticket_page(rows.ticket)}#ticket_parts")
    expect(page.locator("#ticket_parts-data")).to_be_visible()
    return page


def cells_of(page: Page) -> list[tuple[int, int]]:
    """Return the top and the right edge of each cell of the part on the ticket."""
    cells = page.locator("#ticket_parts-data tbody:not(.empty-form) tr.form-row > td")
    boxes = [cell.bounding_box() for cell in cells.all() if cell.is_visible()]
    return [(round(box["y"]), round(box["x"] + box["width"])) for box in boxes if box]


def buttons_of(page: Page) -> list[str]:
    """Name the buttons below a form in the order of lines and columns."""
    buttons = page.locator("#submit-row :is(button, a)").all()
    places = {b.inner_text().strip(): b.bounding_box() for b in buttons}
    return sorted(
        (name for name, box in places.items() if box),
        key=lambda name: (places[name]["y"], places[name]["x"]),  # type: ignore[index]
    )


class TestLongNames:
    def test_never_scroll_a_page_sideways(
        self, browse: Browse, long_rows: LongRows
    ) -> None:
        page = browse(OWNER)
        too_wide = []
        for path in pages_of(long_rows):
            page.goto("about:blank")
            page.goto(path)
            expect(page.locator("h1").first).to_be_visible()
            too_wide += [
                f"{path} at {width} px: {pixels} px too wide"
                for width in WIDTHS
                if (pixels := overhang(page, width)) > 0
            ]

        assert too_wide == []


class TestPartOnATicket:
    @pytest.mark.parametrize("width", [390, 820])
    def test_takes_two_lines_of_a_small_screen(
        self, browse: Browse, long_rows: LongRows, width: int
    ) -> None:
        page = phone_page(browse, long_rows)
        page.set_viewport_size({"width": width, "height": 900})
        cells = cells_of(page)

        assert len({top for top, _ in cells}) == 2
        assert max(right for _, right in cells) < width


class TestButtonsOfAForm:
    def test_are_within_reach_on_a_phone(
        self, browse: Browse, long_rows: LongRows
    ) -> None:
        page = phone_page(browse, long_rows)

        save = page.get_by_role("button", name="Save", exact=True)
        expect(save).to_be_in_viewport(ratio=1)

    def test_begin_with_save_and_end_with_delete(
        self, browse: Browse, long_rows: LongRows
    ) -> None:
        first, *_, last = buttons_of(phone_page(browse, long_rows))

        assert first == "Save"
        assert last.startswith("Delete")

"""Pictures of the pages that a shop looks at all day, for people to judge."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import OWNER, PHONE, Browse

FOLDER = Path(__file__).parents[2] / "test-artifacts" / "screenshots"
PAGES = {
    "dashboard": "/admin/",
    "board": "/admin/tickets/serviceticket/board/",
    "ticket": "/admin/tickets/serviceticket/1/change/",
    "parts": "/admin/inventory/part/",
}
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": PHONE}


def picture(page: Page, name: str) -> Path:
    file = FOLDER / f"{name}.png"
    page.screenshot(path=file, animations="disabled")
    return file


class TestPicture:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", SIZES)
    def test_of_every_page_is_taken(
        self, browse: Browse, size: str, scheme: str
    ) -> None:
        page = browse(OWNER, viewport=SIZES[size], color_scheme=scheme)

        for name, path in PAGES.items():
            page.goto(path, wait_until="networkidle")
            expect(page.locator("h1").first).to_be_visible()
            assert picture(page, f"{name}-{size}-{scheme}").stat().st_size

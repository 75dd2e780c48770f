"""Stock that comes, goes and is counted, and parts from a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from .conftest import MANAGER, OWNER, Browse, Counter, part_page

PARTS = "/admin/inventory/part/"
HEADINGS = "Part number,Name,Cost,Quantity in stock"


def open_dialog(page: Page, verb: str) -> None:
    page.get_by_role("link", name=verb).click()
    expect(page.locator("#dialog")).to_be_visible()


def submit(page: Page, verb: str) -> None:
    page.locator("#dialog").get_by_role("button", name=verb).click()


def upload(page: Page, *rows: str) -> None:
    """Let the page check a file of these rows."""
    content = "\n".join([HEADINGS, *rows, ""]).encode()
    file = FilePayload(name="parts.csv", mimeType="text/csv", buffer=content)
    page.goto(f"{PARTS}import/")
    page.locator("[name=import_file]").set_input_files(files=[file])
    page.get_by_role("button", name="Check the file").click()


class TestStock:
    def test_grows_by_what_is_received(self, browse: Browse, counter: Counter) -> None:
        part, number = counter.add_part(stock=5)
        page = browse(MANAGER)
        page.goto(part_page(part))

        open_dialog(page, "Receive")
        page.locator("#dialog [name=quantity]").fill("7")
        page.locator("#dialog [name=note]").fill("Stoppard, note 4711")
        submit(page, "Receive")

        expect(page.get_by_text(f"{number} Gadget").first).to_be_visible()
        expect(page.locator("#dialog")).to_be_hidden()
        assert counter.stock_of(part) == 12

    def test_is_adjusted(self, browse: Browse, counter: Counter) -> None:
        part, _ = counter.add_part(stock=5)
        page = browse(MANAGER)
        page.goto(part_page(part))

        open_dialog(page, "Adjust stock")
        page.locator("#dialog [name=adjustment]").fill("-2")
        submit(page, "Adjust")

        expect(page.locator("#dialog")).to_be_hidden()
        assert counter.stock_of(part) == 3

    def test_never_falls_below_nothing(self, browse: Browse, counter: Counter) -> None:
        part, number = counter.add_part(stock=5)
        page = browse(MANAGER)
        page.goto(part_page(part))

        open_dialog(page, "Adjust stock")
        page.locator("#dialog [name=adjustment]").fill("-6")
        submit(page, "Adjust")

        words = f"Only 5 of {number} in stock, 6 requested."
        expect(page.get_by_text(words)).to_be_visible()
        assert counter.stock_of(part) == 5

    def test_moves_once_for_a_double_click(
        self, browse: Browse, counter: Counter
    ) -> None:
        part, _ = counter.add_part(stock=5)
        page = browse(MANAGER)
        page.goto(part_page(part))

        open_dialog(page, "Receive")
        page.locator("#dialog [name=quantity]").fill("1")
        page.locator("#dialog").get_by_role("button", name="Receive").dblclick()

        expect(page.locator("#dialog")).to_be_hidden()
        assert counter.stock_of(part) == 6


class TestImport:
    def test_names_the_row_and_the_column_of_a_mistake_and_imports_nothing(
        self, browse: Browse
    ) -> None:
        page = browse(OWNER)

        upload(page, "BAD-0001,Gadget,12.50,3", "BAD-0002,Gadget,cheap,3")

        mistake = page.locator("#import-problems tbody tr")
        expect(mistake).to_have_count(1)
        expect(mistake.locator("td").nth(0)).to_have_text("3")
        expect(mistake.locator("td").nth(1)).to_have_text("Cost")
        expect(mistake).to_contain_text("Write an amount like 12.50")
        expect(page.get_by_text("Nothing was imported.")).to_be_visible()
        page.goto(f"{PARTS}?q=BAD-000")
        expect(page.locator("#result_list tbody tr")).to_have_count(0)

    def test_shows_its_plan_and_then_adds_the_parts(self, browse: Browse) -> None:
        page = browse(OWNER)

        upload(page, "GOOD-0001,Gadget,12.50,3", "GOOD-0002,Gizmo,7.00,4")
        expect(page.locator("#import-rows tbody tr")).to_have_count(2)
        page.get_by_role("button", name="Import 2 rows").click()

        expect(page.get_by_text("Import finished: 2 parts added")).to_be_visible()
        page.goto(f"{PARTS}?q=GOOD-000")
        expect(page.get_by_role("link", name="GOOD-0002")).to_be_visible()


class TestDownload:
    @pytest.mark.parametrize(
        ("words", "starts"), [("CSV", b"\xef\xbb\xbfPart number,"), ("Excel", b"PK")]
    )
    def test_of_the_template_and_of_the_list(
        self, browse: Browse, words: str, starts: bytes
    ) -> None:
        page = browse(OWNER)

        page.goto(f"{PARTS}import/")
        template = download(page, f"{words} template")
        page.goto(PARTS)
        page.get_by_text("Export").locator("visible=true").first.click()
        export = download(page, words)

        assert template.startswith(starts)
        assert export.startswith(starts)


def download(page: Page, link: str) -> bytes:
    with page.expect_download() as coming:
        page.get_by_role("link", name=link).click()
    return Path(coming.value.path()).read_bytes()

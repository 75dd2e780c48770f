"""The pages on a phone, in the dark, and for people who use other senses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ..support.server import Server
from .conftest import OWNER, PHONE, Browse, Counter, part_page, ticket_page

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
GRAVE = {"serious", "critical"}
#: An empty box of Django's own select2 names itself after its empty content.
SKIPPED = [".select2-selection"]
#: The user's set-password link is made by a service that mails it.
LINK_OF_A_USER = """
from django.contrib.auth.tokens import default_token_generator as tokens
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from mechanic_shop.accounts.models import User
user = User.objects.get(email="test@example.com")
key = urlsafe_base64_encode(force_bytes(user.pk))
print(reverse("password-set", args=[key, tokens.make_token(user)]))
"""
DAILY = (
    "/admin/",
    "/admin/tickets/serviceticket/board/",
    ticket_page("1"),
    "/admin/inventory/part/",
)


def open_page(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.locator("h1").first).to_be_visible()


def barriers_on(page: Page, rules: list[str] | None = None) -> list[str]:
    """Name the grave barriers that axe finds on the page."""
    # The policy forbids a script tag; what a debugger evaluates it does not see.
    page.evaluate(AXE.read_text())
    only = {"type": "rule", "values": rules} if rules else RULES
    found: dict[str, Any] = page.evaluate(
        "([skipped, only]) => axe.run({exclude: skipped}, {runOnly: only})",
        [SKIPPED, only],
    )
    assert found["passes"], "axe has looked at nothing"
    return [
        f"{page.url}: {barrier['id']}: {node['html'][:200]}"
        for barrier in found["violations"]
        if barrier["impact"] in GRAVE
        for node in barrier["nodes"]
    ]


class TestPhone:
    @pytest.mark.parametrize("path", DAILY)
    def test_never_scrolls_sideways(self, browse: Browse, path: str) -> None:
        page = browse(OWNER, viewport=PHONE, has_touch=True)
        open_page(page, path)

        width = page.evaluate("document.documentElement.scrollWidth")

        assert width <= PHONE["width"]

    def test_has_a_menu_that_opens(self, browse: Browse) -> None:
        page = browse(OWNER, viewport=PHONE)
        open_page(page, "/admin/")
        link = page.locator("#nav-sidebar").get_by_role("link", name="Work board")

        expect(link).not_to_be_in_viewport()
        page.get_by_text("dock_to_right").locator("visible=true").click()
        link.click()

        expect(page).to_have_url("/admin/tickets/serviceticket/board/")


class TestDark:
    @pytest.mark.parametrize("path", DAILY)
    def test_has_a_dark_ground_and_words_that_can_be_read(
        self, browse: Browse, path: str
    ) -> None:
        page = browse(OWNER, color_scheme="dark")
        open_page(page, path)

        assert brightness_of_ground(page) < 0.15
        assert barriers_on(page, ["color-contrast"]) == []


def brightness_of_ground(page: Page) -> float:
    """Return from 0 to 1 how bright the page is where there is nothing on it."""
    paints = """() => {
        const paper = document.createElement("canvas").getContext("2d");
        const ground = [document.body, document.documentElement]
            .map(part => getComputedStyle(part).backgroundColor)
            .find(color => !color.endsWith(" 0)") && color !== "transparent");
        paper.fillStyle = ground ?? "white";
        paper.fillRect(0, 0, 1, 1);
        const [red, green, blue] = paper.getImageData(0, 0, 1, 1).data;
        return (red + green + blue) / 3 / 255;
    }"""
    return float(page.evaluate(paints))


class TestBarrierFreePage:
    @pytest.mark.parametrize("path", ["/", "/admin/login/", "/account/password/done/"])
    def test_is_open_to_everybody(self, page: Page, path: str) -> None:
        open_page(page, path)

        assert barriers_on(page) == []

    def test_sets_a_password(self, page: Page, shop: Server) -> None:
        link = shop.manage("shell", "-v", "0", "-c", LINK_OF_A_USER).strip()
        open_page(page, link)

        assert page.locator("[type=password]").count()
        assert barriers_on(page) == []

    @pytest.mark.parametrize(
        "path",
        [
            "/admin/",
            "/admin/tickets/serviceticket/board/",
            "/admin/tickets/serviceticket/1/print/",
            "/admin/inventory/part/import/",
            part_page("1"),
        ],
    )
    def test_is_for_the_staff(self, browse: Browse, path: str) -> None:
        page = browse(OWNER)
        open_page(page, path)

        assert barriers_on(page) == []

    @pytest.mark.parametrize(
        "tab", ["general", "ticket_mechanics", "ticket_parts", "events"]
    )
    def test_is_every_tab_of_a_ticket(
        self, browse: Browse, counter: Counter, tab: str
    ) -> None:
        ticket, (part, _) = counter.open_ticket(), counter.add_part(stock=1)
        counter.install(ticket, part)
        page = browse(OWNER)
        open_page(page, ticket_page(ticket))
        page.locator(f"a[href='#{tab}']").click()

        assert barriers_on(page) == []

    def test_is_a_dialog(self, browse: Browse) -> None:
        page = browse(OWNER)
        open_page(page, part_page("1"))
        page.get_by_role("link", name="Adjust stock").click()
        expect(page.locator("#dialog")).to_be_visible()

        assert barriers_on(page) == []

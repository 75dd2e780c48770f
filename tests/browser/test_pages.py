"""Every page opens without an error, and asks nobody else for anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .conftest import OWNER, SignIn

ADMIN_PAGES = (
    "/admin/",
    "/admin/tickets/serviceticket/",
    "/admin/tickets/serviceticket/add/",
    "/admin/tickets/serviceticket/1/change/",
    "/admin/inventory/part/",
    "/admin/inventory/part/1/change/",
    "/admin/inventory/stockmovement/",
    "/admin/customers/customer/",
    "/admin/customers/customer/1/change/",
    "/admin/customers/vehicle/1/change/",
    "/admin/mechanics/mechanic/1/change/",
    "/admin/accounts/user/",
    "/admin/auth/group/1/change/",
)


class TestPage:
    @pytest.mark.parametrize("path", ["/", "/api/", "/api/login/"])
    def test_of_ours_opens(self, page: Page, path: str) -> None:
        page.goto(path)

        expect(page.locator("h1, h3").first).to_be_visible()

    def test_of_swagger_shows_the_operations(self, page: Page) -> None:
        page.goto("/api/docs/")

        expect(page.locator(".opblock").first).to_be_visible()

    def test_of_swagger_keeps_the_token_over_a_reload(self, page: Page) -> None:
        page.goto("/api/docs/")
        page.get_by_role("button", name="Authorize").first.click()
        page.locator("#auth-bearer-value").fill("a.token.of-mine")
        page.get_by_role("button", name="Apply credentials").first.click()

        page.reload()

        page.get_by_role("button", name="Authorize").first.click()
        expect(page.get_by_text("Authorized").first).to_be_visible()

    def test_of_redoc_shows_the_operations(self, page: Page) -> None:
        page.goto("/api/redoc/")

        summary = page.get_by_role("heading", name="Sign in with email address")
        expect(summary.first).to_be_attached()

    def test_of_the_back_office_opens(self, sign_in: SignIn) -> None:
        page = sign_in(OWNER)

        for path in ADMIN_PAGES:
            page.goto(path)
            expect(page.locator("h1").first).to_be_visible()

    @pytest.mark.parametrize("path", ["/api/inventory", "/api/customers/1"])
    def test_of_the_browsable_api_opens_with_its_forms(
        self, sign_in: SignIn, path: str
    ) -> None:
        page = sign_in(OWNER)

        page.goto(path)

        expect(page.get_by_role("heading").first).to_be_visible()
        expect(page.locator("form").first).to_be_attached()

"""What a browser sees beside the admin: landing page, documentation, browsable API."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from rest_framework.test import APIClient

from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

LINK = re.compile(r"""(?:href|src|action)\s*=\s*["']([^"']+)""")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
EVERY_PLACE = {"/", "/my/", "/admin/", "/api/", "/api/docs", "/api/redoc"}
COLLECTIONS = {"customers", "vehicles", "mechanics", "service-tickets", "inventory"}


class TestLandingPage:
    def test_has_only_links_that_lead_somewhere(self, client: Client) -> None:
        page = client.get("/")

        links = LINK.findall(page.content.decode())
        pages = [link for link in links if not link.startswith("/static/")]
        assert page.status_code == 200
        assert set(pages) == EVERY_PLACE
        for link in pages:
            assert client.get(link, follow=True).status_code == 200

    def test_is_titled_with_the_name_of_the_shop(self, client: Client) -> None:
        page = client.get("/").content.decode()

        assert "<title>Mechanic Shop</title>" in page


class TestApiRoot:
    def test_lists_the_collections_for_everyone(self, anonymous: APIClient) -> None:
        response = anonymous.get("/api/")

        assert response.status_code == 200
        assert set(response.json()) >= COLLECTIONS

    def test_links_to_collections_that_answer(self, shop: APIClient) -> None:
        links = shop.get("/api/").json().values()

        assert {shop.get(link).status_code for link in links} == {200}

    def test_is_a_page_for_a_browser(self, client: Client) -> None:
        page = client.get("/api/", headers={"accept": "text/html"})

        assert page["Content-Type"].startswith("text/html")
        assert "/api/inventory" in page.content.decode()
        assert "/api/login/" in page.content.decode()


class TestDocumentationPage:
    @pytest.mark.parametrize(
        "path",
        ["/api/docs", "/api/docs?script=", "/api/redoc", "/", "/api/", "/api/login/"],
    )
    def test_loads_nothing_from_elsewhere(self, client: Client, path: str) -> None:
        page = client.get(path, headers={"accept": "text/html"}).content.decode()

        loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", page)
        sources = [source for tag in loaded for source in LINK.findall(tag)]
        assert not [source for source in sources if "//" in source]
        assert not re.findall(r"""(?:@import|url\()\s*["']?(?:https?:)?//""", page)

    def test_takes_its_program_from_this_server_without_the_makers_logo(
        self, client: Client
    ) -> None:
        page = client.get("/api/redoc").content.decode()

        [program] = [link for link in LINK.findall(page) if link.endswith(".js")]
        bundle = client.get(program)
        assert bundle["Content-Type"] == "text/javascript"
        assert b"redoc" in bundle.content
        assert b"logo-mini" not in bundle.content

    def test_takes_its_assets_from_this_server(self, client: Client) -> None:
        page = client.get("/api/docs").content.decode()

        assets = [link for link in LINK.findall(page) if link.startswith("/static/")]
        assert assets
        assert all(finders.find(link.removeprefix("/static/")) for link in assets)

    @pytest.mark.parametrize("path", ["/api/docs?script=", "/api/redoc"])
    def test_reads_the_schema_of_this_server(self, client: Client, path: str) -> None:
        assert "/api/schema" in client.get(path).content.decode()


class TestBrowsableApi:
    """A browser: a session, forms, and CSRF tokens that are really asked for."""

    HTML = {"accept": "text/html"}

    @pytest.fixture
    def browser(self, owner: User) -> Client:
        """The owner's browser, signed in through the form."""
        browser = Client(enforce_csrf_checks=True)
        token = self.token_on(browser, "/api/login/")
        response = browser.post(
            "/api/login/",
            {
                "username": owner.email,
                "password": PASSWORD,
                "csrfmiddlewaretoken": token,
                "next": "/api/inventory",
            },
        )
        assert (response.status_code, response["Location"]) == (302, "/api/inventory")
        return browser

    def token_on(self, browser: Client, path: str) -> str:
        page = browser.get(path, headers=self.HTML).content.decode()
        found = TOKEN.search(page)
        assert found, page
        return found[1]

    def post(self, browser: Client, **form: str) -> tuple[int, str]:
        token = self.token_on(browser, "/api/inventory")
        response = browser.post(
            "/api/inventory",
            {"csrfmiddlewaretoken": token, **form},
            headers=self.HTML,
        )
        return response.status_code, html.unescape(response.content.decode())

    def test_shows_a_list_with_a_form(self, browser: Client) -> None:
        PartFactory.create(name="Left mirror")

        page = browser.get("/api/inventory", headers=self.HTML)

        text = page.content.decode()
        assert page.status_code == 200
        assert "Left mirror" in text
        assert 'name="current_cost_cents"' in text

    def test_creates_by_the_form(self, browser: Client) -> None:
        status, text = self.post(browser, name="Wiper", price="12.50")

        assert status == 201
        assert "Wiper" in text
        assert Part.objects.get().current_cost_cents == 1_250

    def test_shows_a_complaint_beside_its_field(self, browser: Client) -> None:
        status, text = self.post(browser, name="", price="12.50")

        field = re.search(r'<div class="form-group [^"]*has-error.*?</div>', text, re.S)
        assert status == 400
        assert field
        assert 'name="name"' in field[0]
        assert "This field may not be blank." in text[field.start() :]
        assert not Part.objects.exists()

    def test_keeps_what_was_typed_beside_the_complaint(self, browser: Client) -> None:
        _, text = self.post(browser, name="", supplier="Bosch & Sons", price="1")

        assert 'value="Bosch & Sons"' in text

    def test_shows_a_form_for_a_change(self, browser: Client) -> None:
        part = PartFactory.create(name="Left mirror")

        page = browser.get(f"/api/inventory/{part.pk}", headers=self.HTML)

        assert page.status_code == 200
        assert 'value="Left mirror"' in page.content.decode()

    def test_refuses_a_form_without_its_token(self, browser: Client) -> None:
        response = browser.post("/api/inventory", {"name": "Wiper", "price": "1"})

        assert response.status_code == 403
        assert response.json()["code"] == "permission_denied"
        assert not Part.objects.exists()

    def test_escapes_what_people_typed(self, browser: Client) -> None:
        PartFactory.create(name="<script>alert(1)</script>")

        page = browser.get("/api/inventory", headers=self.HTML).content.decode()

        assert "<script>alert(1)" not in page
        assert "alert(1)" in page

    @pytest.mark.parametrize("status", [401, 403, 404, 405])
    def test_shows_an_error_as_a_page(self, browser: Client, status: int) -> None:
        method, path, who = {
            401: ("GET", "/api/inventory", Client()),
            403: ("POST", "/api/inventory", browser),
            404: ("GET", "/api/inventory/0", browser),
            405: ("GET", "/api/auth/login", browser),
        }[status]

        page = who.generic(method, path, headers=self.HTML)

        assert page.status_code == status
        assert page["Content-Type"].startswith("text/html")

    def test_sends_json_to_whoever_names_nothing(self, anonymous: APIClient) -> None:
        response = anonymous.get("/api/", HTTP_ACCEPT="*/*")

        assert response["Content-Type"] == "application/json"

    @pytest.mark.parametrize(
        "path",
        ["/api/customers", "/api/vehicles", "/api/mechanics", "/api/service-tickets"],
    )
    def test_has_a_page_for_every_collection(self, browser: Client, path: str) -> None:
        page = browser.get(path, headers=self.HTML)

        assert page.status_code == 200
        assert page["Content-Type"].startswith("text/html")

    def test_ends_with_the_session(self, browser: Client) -> None:
        token = self.token_on(browser, "/api/inventory")

        browser.post("/api/login/out/", {"csrfmiddlewaretoken": token})

        assert browser.get("/api/inventory").status_code == 401

"""Every error page names the shop, what is wrong, a way on, and the request."""

from __future__ import annotations

import re
from copy import deepcopy
from html import unescape
from typing import Any, NoReturn

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest
from django.test import Client
from django.urls import re_path, reverse

from mechanic_shop import urls
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.accounts.tests.factories import user_in

ERRORS: dict[int, type[Exception]] = {
    400: BadRequest,
    403: PermissionDenied,
    404: Http404,
    500: ZeroDivisionError,
    503: OperationalError,
}
#: Where each part of the site leads back to.
BACK = {"/admin/": "/admin/", "/my/": "/my/", "/account/": "/", "/": "/"}
ID = "request-17"
HEADERS = {"X-Request-ID": ID, "Accept": "text/html"}


def fail(request: HttpRequest, status: str) -> NoReturn:
    raise ERRORS[int(status)]("the secret cause")


urlpatterns = [re_path(r"^.*broken/(?P<status>[0-9]+)$", fail), *urls.urlpatterns]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500


@pytest.fixture(autouse=True)
def shop_name(settings: Any) -> str:
    settings.SHOP_NAME = "Fixit & Sons"
    return "Fixit & Sons"


@pytest.fixture
def anyone(settings: Any) -> Client:
    """A browser on a site where something breaks, before a password was asked."""
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False, headers=HEADERS)


def strict_browser() -> Client:
    return Client(enforce_csrf_checks=True, headers=HEADERS)


def button_of(page: Any) -> str:
    [url] = re.findall(r'class="button" href="([^"]*)"', page.content.decode())
    return unescape(url)


def assert_for_people(page: Any, status: int, back_url: str) -> str:
    """Check what all these pages have; return the sentence."""
    shown = page.content.decode()
    assert page.status_code == status
    assert page["Content-Type"].startswith("text/html")
    assert "Fixit &amp; Sons</title>" in shown
    assert "Fixit &amp; Sons</a>" in shown
    assert ID in shown
    assert page["X-Request-ID"] == ID
    assert button_of(page) == back_url
    assert not re.search(r"<script|<style|\bstyle=|\bon\w+=|secret", shown)
    assert "default-src 'none'" in page["Content-Security-Policy"]
    [sentence] = re.findall(r'<p class="lead">([^<]+)</p>', shown)
    return unescape(str(sentence))


class TestBrokenPage:
    """None of these tests has a database."""

    @pytest.mark.parametrize("place", BACK)
    @pytest.mark.parametrize("status", ERRORS)
    def test_leads_back_to_its_part_of_the_site(
        self, anyone: Client, status: int, place: str
    ) -> None:
        path = f"{place}broken/{status}"

        page = anyone.get(path)

        assert_for_people(page, status, path if status == 503 else BACK[place])

    @pytest.mark.parametrize("status", ERRORS)
    def test_needs_no_context_processor(
        self, anyone: Client, settings: Any, status: int
    ) -> None:
        templates = deepcopy(settings.TEMPLATES)
        templates[0]["OPTIONS"]["context_processors"] = ["nowhere.to_be_found"]
        settings.TEMPLATES = templates

        assert_for_people(
            anyone.get(f"/broken/{status}?a=1"),
            status,
            "/broken/503?a=1" if status == 503 else "/",
        )

    @pytest.mark.parametrize("status", ERRORS)
    def test_tells_programs_in_the_envelope(self, anyone: Client, status: int) -> None:
        json = {"Accept": "application/json"}

        response = anyone.get(f"/api/broken/{status}", headers=json)

        assert response.status_code == status
        assert response.json()["error"].startswith(str(status))
        assert response.json()["request_id"] == ID

    def test_of_an_unknown_host_is_a_400(self, anyone: Client) -> None:
        page = anyone.get("/", headers={"Host": "evil.example"})

        assert_for_people(page, 400, "/")


class TestFormWithoutItsToken:
    @pytest.mark.parametrize("path", ["/admin/login/?next=/admin/", "/my/sign-in/"])
    def test_can_be_loaded_again(self, path: str) -> None:
        page = strict_browser().post(path)

        sentence = assert_for_people(page, 403, path)
        assert "open for too long" in sentence

    def test_leads_to_the_page_that_sent_it(self) -> None:
        sent_from = "http://testserver/my/tickets/7/"

        page = strict_browser().post("/my/sign-out/", headers={"Referer": sent_from})

        assert_for_people(page, 403, sent_from)

    @pytest.mark.parametrize(
        "sent_from", ["https://evil.example/my/", "javascript:alert(1)", "//evil/"]
    )
    def test_never_leads_to_another_site(self, sent_from: str) -> None:
        page = strict_browser().post("/my/sign-out/", headers={"Referer": sent_from})

        assert_for_people(page, 403, "/my/sign-out/")

    def test_of_the_browsable_api_has_the_same_page(self) -> None:
        page = strict_browser().post("/api/login/")

        assert_for_people(page, 403, "/api/login/")


@pytest.mark.django_db
class TestBackOffice:
    def test_page_without_the_permission_is_a_403(self) -> None:
        client = Client(headers=HEADERS)
        client.force_login(user_in(TECHNICIAN))

        page = client.get(reverse("admin:accounts_user_add"))

        assert "not see this page" in assert_for_people(page, 403, "/admin/")

    def test_unknown_page_is_a_404(self, owner: User) -> None:
        client = Client(headers=HEADERS)
        client.force_login(owner)

        page = client.get("/admin/nowhere/")

        assert "misspelled" in assert_for_people(page, 404, "/admin/")


class TestWrongMethod:
    @pytest.mark.parametrize(
        ("path", "back_url"),
        [("/my/sign-out/", "/my/"), ("/admin/logout/", "/admin/")],
    )
    def test_of_a_button_is_a_page(self, owner: User, path: str, back_url: str) -> None:
        client = Client(headers=HEADERS)
        client.force_login(owner)

        page = client.get(path)

        assert "button" in assert_for_people(page, 405, back_url)
        assert "POST" in page["Allow"]
        assert client.get("/admin/").status_code == 200


@pytest.mark.django_db
class TestTooLargeBody:
    @pytest.mark.parametrize("path", ["/admin/login/", "/my/sign-in/", "/"])
    def test_leads_back_to_its_form(self, settings: Any, path: str) -> None:
        settings.MAX_BODY_BYTES = 1024**2

        page = Client(headers=HEADERS).post(path, {"text": "x" * 1024**2})

        assert "1\xa0MB" in assert_for_people(page, 413, path)

    def test_never_leads_to_another_site(self, settings: Any) -> None:
        settings.MAX_BODY_BYTES = 10

        page = Client(headers=HEADERS).post(
            "/", {"text": "x" * 100}, PATH_INFO="//evil.example/"
        )

        # Two slashes would name another host.
        assert button_of(page) == "/%2Fevil.example/"

    def test_of_an_upload_without_permission_is_a_403(self, settings: Any) -> None:
        settings.MAX_BODY_BYTES = 10

        page = Client(headers=HEADERS).post(
            "/admin/inventory/part/import/", {"text": "x" * 100}
        )

        assert "import" in assert_for_people(page, 403, "/admin/")


@pytest.mark.django_db
class TestTooManyTries:
    @pytest.mark.parametrize(
        ("path", "budget"),
        [
            ("/admin/login/", "LOGIN"),
            ("/my/sign-in/", "LOGIN"),
            ("/my/forgotten-password/", "PASSWORD_RESET"),
        ],
    )
    def test_leads_back_to_the_form(
        self, settings: Any, path: str, budget: str
    ) -> None:
        settings.THROTTLES = {**settings.THROTTLES, budget: (1, 60)}
        client = Client(headers=HEADERS)

        client.post(path)
        page = client.post(path)

        assert "Please wait" in assert_for_people(page, 429, path)
        assert int(page["Retry-After"]) > 0

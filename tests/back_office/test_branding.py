"""The shop's name, logo and colors on every page that somebody sees first."""

from __future__ import annotations

import os
import subprocess
import sys
from copy import deepcopy

import pytest
from django.conf import LazySettings, settings
from django.contrib.staticfiles import finders
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from mechanic_shop.accounts.models import User
from mechanic_shop.settings.back_office import BLUE
from mechanic_shop.settings.env import read_path
from tests.support.back_office import browser_of, text_of

pytestmark = pytest.mark.django_db

AA = 4.5
WHITE = "#ffffff"
#: What unfold's darkest grounds look like; its grays are written in oklch.
DARK_GROUND, DARK_CARD = "#101828", "#1e2939"


def luminance(color: str) -> float:
    """Measure how light a color is, as WCAG 2 defines it."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


class TestTheColors:
    @pytest.mark.parametrize(
        ("text", "ground"),
        [
            (WHITE, BLUE["600"]),  # buttons, in both modes
            (BLUE["600"], WHITE),  # links on light pages
            (BLUE["700"], BLUE["100"]),  # pills
            (BLUE["500"], DARK_GROUND),  # links on dark pages
            (BLUE["500"], DARK_CARD),
            (BLUE["400"], DARK_CARD),
        ],
    )
    def test_can_be_read_by_everybody(self, text: str, ground: str) -> None:
        assert contrast(text, ground) >= AA

    def test_are_the_shops_own_on_every_page(self, owner: User) -> None:
        for client in (Client(), browser_of(owner)):
            page = text_of(client.get("/admin/", follow=True))
            assert "--color-primary-600: rgb(29, 95, 168)" in page


class TestTheShopsName:
    def test_is_on_the_first_pages(self, settings: LazySettings) -> None:
        settings.SHOP_NAME = "Zum Kolben"
        settings.UNFOLD = {**settings.UNFOLD, "SITE_HEADER": "Zum Kolben"}

        assert "Welcome to Zum Kolben" in text_of(Client().get("/"))
        assert "Zum Kolben</h1>" in text_of(Client().get("/admin/login/"))

    def test_is_escaped(self, settings: LazySettings) -> None:
        settings.SHOP_NAME = "<b>Bob & Sons</b>"

        assert "<b>Bob" not in text_of(Client().get("/"))


class TestTheLogo:
    @pytest.fixture
    def _logo(self, settings: LazySettings) -> None:
        settings.UNFOLD = {
            **deepcopy(settings.UNFOLD),
            "SITE_ICON": "/static/kolben.svg",
        }

    @pytest.mark.usefixtures("_logo")
    def test_is_on_the_first_pages_and_in_the_sidebar(self, owner: User) -> None:
        shown = 'src="/static/kolben.svg"'

        assert shown in text_of(Client().get("/"))
        assert shown in text_of(Client().get("/admin/login/"))
        assert shown in text_of(browser_of(owner).get("/admin/"))

    def test_is_a_symbol_until_there_is_one(self) -> None:
        assert "car_repair" in text_of(Client().get("/admin/login/"))
        assert "favicon.svg" in text_of(Client().get("/"))

    @pytest.mark.parametrize(
        "path", ["/static/logo.svg", "/static/my-shop/logo_2.png", "/media/a%20b.svg"]
    )
    def test_is_a_path_on_this_host(
        self, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SHOP_LOGO", path)

        assert read_path("SHOP_LOGO") == path

    @pytest.mark.parametrize(
        "path",
        [
            "https://cdn.example/logo.svg",
            "//cdn.example/logo.svg",
            "/\\cdn.example/logo.svg",
            "logo.svg",
            "/",
            "javascript:alert(1)",
            '/a"onerror="alert(1)',
            "/static/logo.svg?v=1",
        ],
    )
    def test_is_never_on_another_host(
        self, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SHOP_LOGO", path)

        with pytest.raises(ImproperlyConfigured, match=r"SHOP_LOGO$"):
            read_path("SHOP_LOGO")

    def test_is_read_from_the_environment(self) -> None:
        code = "from mechanic_shop.settings.back_office import UNFOLD as u;"
        answer = subprocess.run(
            [sys.executable, "-c", f"{code} print(u['SITE_ICON'])"],
            env={**os.environ, "SHOP_LOGO": "/static/mine.svg"},
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=True,
        )

        assert answer.stdout.strip() == "/static/mine.svg"


class TestTheFirstPages:
    @pytest.mark.parametrize(
        "name", ["favicon.svg", "login.svg", "shop.css", "back_office.css"]
    )
    def test_take_what_they_show_from_this_host(self, name: str) -> None:
        assert finders.find(name)

    def test_name_no_other_host(self) -> None:
        for path in ("/", "/admin/login/"):
            page = text_of(Client().get(path)).replace("http://www.w3.org", "")
            assert "http://" not in page
            assert "https://" not in page

    def test_have_a_title_of_their_own(self, owner: User) -> None:
        page = text_of(browser_of(owner).get("/admin/accounts/user/"))

        assert f"{settings.SHOP_NAME}</title>" in page.replace("\n", "")
        assert "Django" not in page

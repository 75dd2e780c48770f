"""The back office and the documentation in a real browser, against the production form.

``make test-browser`` runs this folder. Every page that a test opens is watched: an
error in the console, a request to another host, or something that the Content Security
Policy refused fails the test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

from ..server import Server, running_server

HERE = Path(__file__).parent
#: The demo shop's logins; all have one password.
PASSWORD = "password123"
SignIn = Callable[[str], Page]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, before pytest picks by marks."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("There is no Chromium (Debian: apt install chromium).")
    quiet = ["--disable-background-networking", "--disable-component-update"]
    return {
        "executable_path": chromium,
        "args": ["--no-sandbox", "--disable-quic", "--no-first-run", *quiet],
    }


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo shop, whose limits would otherwise end the run after five logins."""
    # Playwright's loop runs in this thread, where Django would refuse to migrate.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with running_server(
        tmp_path_factory.mktemp("browser"),
        threads=8,
        settings_module="tests.browser.server_settings",
        THROTTLE_LOGIN="",
    ) as server:
        server.manage("seed_demo", "--force")
        yield server


@pytest.fixture(scope="session")
def base_url(shop: Server) -> str:
    return shop.url


class Watch:
    """Collect what must not happen on a page."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.complaints: list[str] = []

    def over(self, context: BrowserContext) -> None:
        context.on("request", self._on_request)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _on_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in {"http", "https"} and url.netloc != self.host:
            self.complaints.append(f"asks {url.netloc} for {url.path}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)


@pytest.fixture(autouse=True)
def watch(context: BrowserContext, base_url: str) -> Iterator[Watch]:
    """See to it that nothing in the browser goes wrong unnoticed."""
    watch = Watch(urlsplit(base_url).netloc)
    watch.over(context)
    yield watch
    assert not watch.complaints, "\n".join(watch.complaints)


@pytest.fixture
def sign_in(page: Page) -> SignIn:
    """Sign somebody in to the back office, as they do it themselves."""

    def enter(email: str) -> Page:
        page.goto("/admin/login/")
        page.locator("[name=username]").fill(email)
        page.locator("[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/admin/")
        return page

    return enter

"""The back office and the documentation in a real browser, against the production form.

``make test-browser`` runs this folder. Every page that a test opens is watched: an
error in the console, a request to another host, or something that the Content Security
Policy refused fails the test. Each process of pytest-xdist has a shop of its own, so
two tests that run at the same time share no rows.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    StorageState,
)

from ..support.server import Server, running_server

HERE = Path(__file__).parent
#: The demo shop's logins; all have one password.
PASSWORD = "password123"
OWNER = "admin@example.com"
MANAGER = "manager@example.com"
ADVISOR = "advisor@example.com"
TECHNICIAN = "technician@example.com"
PATIENCE_MILLISECONDS = 10_000
PHONE = {"width": 390, "height": 844}
SignIn = Callable[[str], Page]
#: Opens a browser of its own for somebody; more words go to ``new_context``.
Browse = Callable[..., Page]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, before pytest picks by marks."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


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
    """The demo shop, whose limits would otherwise end the run after ten tickets."""
    # Playwright's loop runs in this thread, where Django would refuse to migrate.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with running_server(
        tmp_path_factory.mktemp("browser"),
        threads=8,
        settings_module="tests.browser.server_settings",
        THROTTLE_LOGIN="",
        THROTTLE_CREATE_TICKET="",
        THROTTLE_CREATE_PART="",
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
        self.forgiven: list[str] = []

    def over(self, context: BrowserContext) -> None:
        context.on("request", self._on_request)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def forgive(self, words: str) -> None:
        """Let pass what a test provokes: a refusal is an error in the console too."""
        self.forgiven.append(words)

    @property
    def unforgiven(self) -> list[str]:
        return [
            said
            for said in self.complaints
            if not any(words in said for words in self.forgiven)
        ]

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
    assert not watch.unforgiven, "\n".join(watch.unforgiven)


@pytest.fixture
def sign_in(page: Page) -> SignIn:
    """Sign somebody in to the back office, as they do it themselves."""

    def enter(email: str) -> Page:
        log_in(page, email)
        return page

    return enter


def log_in(page: Page, email: str) -> None:
    page.goto("/admin/login/")
    page.locator("[name=username]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")


@pytest.fixture(scope="session")
def signed_in(browser: Browser, base_url: str) -> Callable[[str], StorageState]:
    """Return the cookies of somebody's login, which happens once a run."""

    @cache
    def cookies_of(email: str) -> StorageState:
        with browser.new_context(base_url=base_url) as context:
            log_in(context.new_page(), email)
            return context.storage_state()

    return cookies_of


@pytest.fixture
def browse(
    new_context: Callable[..., BrowserContext],
    signed_in: Callable[[str], StorageState],
    watch: Watch,
) -> Browse:
    """Open the back office for somebody who is signed in already."""

    def open_for(email: str, **words: Any) -> Page:
        context = new_context(storage_state=signed_in(email), **words)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        watch.over(context)
        return context.new_page()

    return open_for


class Counter:
    """Makes the rows that a test works on, and looks what became of them."""

    def __init__(self, api: httpx.Client) -> None:
        self.api = api
        self._numbers = count(1)

    def open_ticket(self, **details: Any) -> str:
        """Return the id of a new ticket."""
        body = {
            "vehicle_id": 5,
            "customer_id": 5,
            "problem_description": "Rattles over cobbles.",
            "odometer_miles": 300_000,
        }
        answer = self.api.post("/service-tickets/", json=body | details)
        return str(answer.raise_for_status().json()["ticket_id"])

    def ticket(self, ticket_id: str) -> dict[str, Any]:
        return self._read(f"/service-tickets/{ticket_id}")

    def add_part(self, stock: int) -> tuple[str, str]:
        """Return the id and the number of a new part."""
        number = f"TRY-{next(self._numbers):04}"
        body = {
            "part_number": number,
            "name": "Gadget",
            "current_cost_cents": 1_000,
            "quantity_in_stock": stock,
        }
        answer = self.api.post("/inventory/", json=body)
        return str(answer.raise_for_status().json()["part_id"]), number

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the row that was made."""
        answer = self.api.post(path, json=body).raise_for_status()
        row: dict[str, Any] = answer.json()
        return row

    def put(self, path: str) -> None:
        self.api.put(path).raise_for_status()

    def install(self, ticket_id: str, part_id: str) -> None:
        """Put one unit of a part, and somebody, on a ticket."""
        ticket = f"/service-tickets/{ticket_id}"
        part = {"quantity_used": 1}
        self.api.put(f"{ticket}/assign-mechanic/1").raise_for_status()
        self.api.post(f"{ticket}/parts/{part_id}", json=part).raise_for_status()

    def stock_of(self, part_id: str) -> int:
        return int(self._read(f"/inventory/{part_id}")["quantity_in_stock"])

    def _read(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.get(path).raise_for_status().json()
        return answer


@pytest.fixture(scope="session")
def counter(shop: Server) -> Counter:
    api = shop.sign_in(email=OWNER, password=PASSWORD)
    # A kept connection may be closed by the server just when it is used again.
    api.headers["Connection"] = "close"
    return Counter(api)


def ticket_page(ticket_id: str) -> str:
    return f"/admin/tickets/serviceticket/{ticket_id}/change/"


def part_page(part_id: str) -> str:
    return f"/admin/inventory/part/{part_id}/change/"

"""A front end on another origin calls the API, in a browser that means it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from ..support.server import OWNER, Server, running_server

#: One server with its own settings, so one process.
pytestmark = pytest.mark.xdist_group("cors")

#: Whatever comes of it, as the page's own program sees it.
FETCH = """async ([url, init]) => {
  try {
    const answer = await fetch(url, init);
    const text = await answer.text();
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: text && JSON.parse(text),
    };
  } catch (error) {
    return {status: 0, failure: String(error)};
  }
}"""
NOTHING = {"status": 0, "failure": "TypeError: Failed to fetch"}

PAGE = b"<!doctype html><link rel=icon href=data:,><title>App</title>"

#: Calls the API from a page: path, and what ``fetch`` takes.
Fetch = Callable[..., dict[str, Any]]


class BlankPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def front_end() -> Iterator[int]:
    """Serve a page, which is of one origin by each name of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BlankPage) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with front_end() as port:
        yield port


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Server]:
    with running_server(
        tmp_path_factory.mktemp("cors"),
        workers=1,
        settings_module="tests.browser.server_settings",
        CORS_ALLOWED_ORIGINS=f"http://localhost:{port}",
        THROTTLE_LOGIN="",
        THROTTLE_PASSWORD_RESET="1/hour",
    ) as server:
        owner = ("--email", OWNER["email"], "--first_name", "Ada", "--last_name", "Q")
        server.manage("createsuperuser", "--noinput", *owner)
        yield server


@pytest.fixture(autouse=True)
def watch() -> None:
    """Refusals and another host, which are an error elsewhere, are the point here."""


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[[str], Page]]:
    with browser.new_context() as context:

        def at(address: str) -> Page:
            page = context.new_page()
            page.goto(address)
            return page

        yield at


@pytest.fixture
def fetch_from(open_page: Callable[[str], Page], api: Server) -> Callable[[str], Fetch]:
    def on(origin: str) -> Fetch:
        page = open_page(origin)

        def fetch(path: str, **init: Any) -> dict[str, Any]:
            answer: dict[str, Any] = page.evaluate(FETCH, [f"{api.url}{path}", init])
            return answer

        return fetch

    return on


@pytest.fixture
def fetch(fetch_from: Callable[[str], Fetch], port: int) -> Fetch:
    """The program of a page whose origin is on the list."""
    return fetch_from(f"http://localhost:{port}/")


@pytest.fixture
def fetch_as_stranger(fetch_from: Callable[[str], Fetch], port: int) -> Fetch:
    """The program of a page whose origin is not."""
    return fetch_from(f"http://127.0.0.1:{port}/")


def as_json(**headers: str) -> dict[str, str]:
    return {"Content-Type": "application/json", **headers}


@pytest.fixture
def token(fetch: Fetch) -> dict[str, str]:
    """Sign in from the page; return the header that says who calls."""
    body = f'{{"email": "{OWNER["email"]}", "password": "{OWNER["password"]}"}}'
    answer = fetch("/api/auth/login", method="POST", headers=as_json(), body=body)
    return {"Authorization": f"Bearer {answer['body']['access_token']}"}


def error_body(number: str) -> str:
    return f'{{"name": "Wiper", "part_number": "{number}", "current_cost_cents": 1}}'


class TestFrontEnd:
    def test_signs_in_and_reads_a_list(
        self, fetch: Fetch, token: dict[str, str]
    ) -> None:
        answer = fetch("/api/inventory", headers=token)

        assert answer["status"] == 200
        assert "pagination" in answer["body"]
        assert answer["headers"]["x-request-id"]

    def test_repeats_a_request_without_a_second_effect(
        self, fetch: Fetch, token: dict[str, str]
    ) -> None:
        headers = as_json(**token, **{"Idempotency-Key": "from-a-page"})
        create = {"method": "POST", "headers": headers, "body": error_body("RETRY-1")}

        first, second = (fetch("/api/inventory", **create) for _ in range(2))

        assert first["status"] == second["status"] == 201
        assert first["headers"]["ratelimit-limit"] == "20"
        assert int(first["headers"]["ratelimit-remaining"]) < 20
        assert int(first["headers"]["ratelimit-reset"]) > 0
        assert "idempotency-replayed" not in first["headers"]
        assert second["headers"]["idempotency-replayed"] == "true"
        assert second["body"]["part_id"] == first["body"]["part_id"]

    def test_is_told_that_somebody_was_faster(
        self, fetch: Fetch, token: dict[str, str]
    ) -> None:
        create = {"method": "POST", "headers": as_json(**token)}
        made = fetch("/api/inventory", **create, body=error_body("EDIT-1"))
        path = f"/api/inventory/{made['body']['part_id']}"
        seen = fetch(path, headers=token)["headers"]["etag"]
        change = {"method": "PATCH", "headers": as_json(**token, **{"If-Match": seen})}

        edits = [
            fetch(path, **change, body=f'{{"supplier": "{who}"}}')
            for who in ("first", "second")
        ]

        assert [edit["status"] for edit in edits] == [200, 412]
        assert edits[1]["body"]["code"] == "precondition_failed"
        assert fetch(path, headers=token)["body"]["supplier"] == "first"

    @pytest.mark.parametrize(
        ("status", "path", "init"),
        [
            (401, "/api/inventory", {}),
            (404, "/api/nothing", {}),
            (405, "/api/docs", {"method": "DELETE"}),
            (413, "/api/auth/login", {"method": "POST", "body": "x" * 2**20 + "xx"}),
        ],
    )
    def test_reads_why_it_was_refused(
        self, fetch: Fetch, status: int, path: str, init: dict[str, str]
    ) -> None:
        answer = fetch(path, **init)

        assert answer["status"] == status
        assert answer["body"]["error"].startswith(str(status))
        assert answer["body"]["request_id"] == answer["headers"]["x-request-id"]

    def test_reads_when_to_come_back(self, fetch: Fetch) -> None:
        ask = {"method": "POST", "headers": as_json()}
        ask["body"] = '{"email": "nobody@example.com"}'

        _, refused = (fetch("/api/auth/password-reset", **ask) for _ in range(2))

        assert refused["status"] == 429
        assert refused["body"]["code"] == "throttled"
        assert 0 < int(refused["headers"]["retry-after"]) <= 3600

    def test_never_uses_the_cookie_of_somebody_who_is_signed_in(
        self, fetch: Fetch, open_page: Callable[[str], Page], api: Server
    ) -> None:
        form = open_page(f"{api.url}/api/login/?next=/api/inventory")
        form.locator("[name=username]").fill(OWNER["email"])
        form.locator("[name=password]").fill(OWNER["password"])
        form.get_by_role("button", name="Log in").click()
        form.wait_for_url("**/api/inventory")

        assert fetch("/api/inventory")["status"] == 401
        assert fetch("/api/inventory", credentials="include") == NOTHING


class TestStranger:
    @pytest.mark.parametrize("path", ["/api/", "/api/inventory", "/api/schema/"])
    def test_can_read_nothing(self, fetch_as_stranger: Fetch, path: str) -> None:
        assert fetch_as_stranger(path) == NOTHING

    def test_cannot_even_ask_with_a_token(
        self, fetch: Fetch, fetch_as_stranger: Fetch, token: dict[str, str]
    ) -> None:
        create = {"method": "POST", "headers": as_json(**token)}
        made = fetch("/api/inventory", **create, body=error_body("STRANGE-1"))
        path = f"/api/inventory/{made['body']['part_id']}"

        answer = fetch_as_stranger(path, method="DELETE", headers=token)

        assert answer == NOTHING
        assert fetch(path, headers=token)["status"] == 200

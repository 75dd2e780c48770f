"""docs/api.md, run as it is read: each example against a live server, in order."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import Thread
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.urls import get_resolver
from rest_framework.exceptions import APIException

from mechanic_shop.core.errors import ShopError

from .support.doc_examples import (
    GUIDE,
    Block,
    CurlResponse,
    blocks,
    difference,
    pairs,
    read_responses,
)
from .support.server import COMMAND, ROOT, START_SECONDS, Server

pytestmark = [
    pytest.mark.xdist_group("demo server"),
    pytest.mark.skipif(
        not (shutil.which("bash") and shutil.which("curl")),
        reason="the guide is for people with bash and curl",
    ),
]

ADVISOR = {"email": "advisor@example.com", "password": "password123"}
TABLE_ROW = re.compile(r"^\| [45]\d\d[\d, ]* \| (.*?) \|", re.M)
#: Said by the back office alone.
ADMIN_CODES = {
    *("has_login", "email_taken", "deactivated", "own_login", "not_failed"),
    "not_ready",
}
#: Said by the frameworks, or where no exception names them.
OTHER_CODES = {
    *("invalid", "not_authenticated", "permission_denied", "not_found", "throttled"),
    *("method_not_allowed", "not_acceptable", "unsupported_media_type"),
    *("request_timeout", "server_error", "database_busy", "database_unavailable"),
    "database_timeout",
}


@pytest.fixture(scope="module")
def printed(demo_server: Server) -> dict[Block, list[CurlResponse]]:
    """Paste all the bash into one shell, and tell which block printed what."""
    pasted = [block for block in blocks() if block.language == "bash"]
    mark = "=== the next block ==="
    run = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input="".join(f"{block.text}\necho '{mark}'\n" for block in pasted),
        env={**os.environ, "API": f"{demo_server.url}/api"},
        capture_output=True,
        text=True,
    )
    *outputs, rest = run.stdout.split(mark)
    assert (run.stderr, run.returncode) == ("", 0), f"{len(outputs)} blocks: {rest}"
    return {
        block: read_responses(output)
        for block, output in zip(pasted, outputs, strict=True)
    }


@pytest.fixture(scope="module")
def client(demo_server: Server) -> dict[str, Any]:
    """Run the Python block, and return its names and, as ``printed``, its output."""
    [(block, _)] = pairs(blocks(), "python", "text")
    names: dict[str, Any] = {"__name__": "client"}
    output = StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output):
        patch.setenv("API", f"{demo_server.url}/api")
        exec(block.text, names)  # noqa: S102
    names["printed"] = output.getvalue()
    return names


@pytest.fixture
def pauses(client: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The client's naps, which take no time."""
    naps: list[int] = []
    monkeypatch.setitem(client, "time", SimpleNamespace(sleep=naps.append))
    return naps


@pytest.fixture(scope="module")
def url_without_database(
    demo_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server whose database is in a folder that is not there."""
    tmp_path = tmp_path_factory.mktemp("away")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    database = f"sqlite:///{tmp_path / 'gone' / 'shop.sqlite3'}"
    settings = {"DATABASE_URL": database, "PORT": port, "WORKERS": "1"}
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            COMMAND, cwd=ROOT, env={**demo_server.environment, **settings}, stderr=log
        )
    try:
        yield _once_healthy(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _once_healthy(url: str) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return url
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("The server did not start.")


@contextmanager
def bad_line(url: str) -> Iterator[str]:
    """Serve as a line to a server that loses the first answer to a PATCH."""
    losses = ["the first answer"]

    class Line(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = httpx.patch(
                f"{url}{self.path}", content=body, headers=dict(self.headers)
            )
            if losses:
                losses.pop()
                return
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Line) as line:
        Thread(target=line.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{line.server_port}"
        line.shutdown()


# --- The tests ------------------------------------------------------------------------


class TestExample:
    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            pytest.param(command, answer, id=f"line {answer.line}")
            for command, answer in pairs(blocks(), "bash", "http")
        ],
    )
    def test_is_answered_as_shown(
        self, printed: dict[Block, list[CurlResponse]], command: Block, answer: Block
    ) -> None:
        *others, last = printed[command]

        assert difference(CurlResponse.read(answer.text), last) is None
        assert [other.status for other in others if other.status >= 400] == []

    def test_shows_the_answer_it_prints(
        self, printed: dict[Block, list[CurlResponse]]
    ) -> None:
        shown = {command for command, _ in pairs(blocks(), "bash", "http")}

        assert shown == {block for block, answers in printed.items() if answers}

    def test_in_python_prints_what_is_shown(self, client: dict[str, Any]) -> None:
        [(_, output)] = pairs(blocks(), "python", "text")

        assert client["printed"] == output.text

    def test_without_a_command_is_the_answer_without_a_database(
        self, url_without_database: str
    ) -> None:
        shown = [answer for _, answer in pairs(blocks(), "bash", "http")]
        [loose] = [
            block
            for block in blocks()
            if block.language == "http" and block not in shown
        ]

        real = httpx.post(f"{url_without_database}/api/auth/login", json=ADVISOR)

        assert "<!-- Not run here: the database is away. -->" in loose.lead
        status_line = f"HTTP/1.1 {real.status_code} {real.reason_phrase}"
        answer = CurlResponse(status_line, dict(real.headers), real.text)
        assert difference(CurlResponse.read(loose.text), answer) is None


class TestComparison:
    REAL = 'HTTP/1.1 200 OK\nETag: "abc"\n\n{"id": 7, "rows": [{"a": "x"}, {"a": "y"}]}'

    @pytest.mark.parametrize(
        "shown",
        [
            "HTTP/1.1 200 OK\n\n{…}",
            'HTTP/1.1 200 OK\netag: "…"\n\n{"id": …, "rows": [{"a": "…"}, …]}',
            'HTTP/1.1 200 OK\n\n{"rows": [{"a": "x", …}, {…}], …}',
        ],
    )
    def test_takes_what_is_left_out_for_anything(self, shown: str) -> None:
        assert (
            difference(CurlResponse.read(shown), CurlResponse.read(self.REAL)) is None
        )

    @pytest.mark.parametrize(
        "shown",
        [
            "HTTP/1.1 201 Created\n\n{…}",
            "HTTP/1.1 200 OK\n\n",
            'HTTP/1.1 200 OK\nETag: "xyz"\n\n{…}',
            "HTTP/1.1 200 OK\nRetry-After: …\n\n{…}",
            'HTTP/1.1 200 OK\n\n{"id": 7}',
            'HTTP/1.1 200 OK\n\n{"id": 8, …}',
            'HTTP/1.1 200 OK\n\n{"id": "…", …}',
            'HTTP/1.1 200 OK\n\n{"name": …, …}',
            'HTTP/1.1 200 OK\n\n{"rows": …, "id": 7, "name": "…"}',
            'HTTP/1.1 200 OK\n\n{"rows": [{"a": …}, …], …}',
            'HTTP/1.1 200 OK\n\n{"rows": [{"a": "x"}], …}',
            'HTTP/1.1 200 OK\n\n{"rows": [{"a": "x"}, {"a": "z"}], …}',
            'HTTP/1.1 200 OK\n\n{"rows": [{…}, {…}, {…}, …], …}',
        ],
    )
    def test_finds_what_differs(self, shown: str) -> None:
        assert (
            difference(CurlResponse.read(shown), CurlResponse.read(self.REAL))
            is not None
        )


class TestClient:
    def test_renews_a_token_that_is_over(self, client: dict[str, Any]) -> None:
        auth, send = client["auth"], client["send"]
        auth.tokens["access_token"] = "eyJ.of.yesterday"

        with httpx.Client(base_url=client["API"], auth=auth) as shop:
            answer = send(shop, "GET", "/auth/me")

        assert answer.json()["email"] == ADVISOR["email"]
        assert auth.tokens["access_token"] != "eyJ.of.yesterday"

    def test_repeats_what_got_no_answer_under_its_key(
        self, demo_server: Server, client: dict[str, Any], pauses: list[int]
    ) -> None:
        path = "/inventory/9/adjust-quantity"
        with (
            bad_line(demo_server.url) as url,
            httpx.Client(base_url=f"{url}/api", auth=client["auth"]) as bad,
            httpx.Client(base_url=client["API"], auth=client["auth"]) as good,
        ):
            before = good.get("/inventory/9").json()["quantity_in_stock"]
            answer = client["send"](bad, "PATCH", path, json={"adjustment": 3})
            after = good.get("/inventory/9").json()["quantity_in_stock"]

        assert answer.headers["Idempotency-Replayed"] == "true"
        assert (after - before, pauses) == (3, [1])

    def test_waits_for_a_database_as_long_as_it_is_told(
        self, client: dict[str, Any], pauses: list[int], url_without_database: str
    ) -> None:
        with (
            httpx.Client(base_url=f"{url_without_database}/api") as shop,
            pytest.raises(TimeoutError),
        ):
            client["send"](shop, "POST", "/auth/login", json=ADVISOR)

        assert pauses == [2] * 5

    def test_waits_for_a_limit_as_long_as_it_is_told(
        self, client: dict[str, Any], pauses: list[int]
    ) -> None:
        guess = {"current_password": "wrong-horse-battery", "new_password": "short-7"}
        with httpx.Client(base_url=client["API"], auth=client["auth"]) as shop:
            while shop.post("/auth/password", json=guess).status_code == 400:
                pass
            with pytest.raises(TimeoutError):
                client["send"](shop, "POST", "/auth/password", json=guess)

        assert len(pauses) == 5
        assert all(0 < pause <= 60 for pause in pauses)


class TestTableOfErrors:
    def test_names_every_code_and_no_other(self) -> None:
        assert get_resolver().url_patterns  # imports what raises errors
        listed = re.findall(r"`(\w+)`", " ".join(TABLE_ROW.findall(GUIDE.read_text())))

        raised = {
            error.code for error in _kinds_of(ShopError) if error is not ShopError
        } | {
            error.default_code
            for error in _kinds_of(APIException)
            if not error.__module__.startswith("rest_framework")
            and error.status_code != 400
        }

        assert set(listed) ^ (raised - ADMIN_CODES | OTHER_CODES) == set()


def _kinds_of(error: type) -> set[Any]:
    """Return an error and what the product derives from it; tests derive some, too."""
    kinds = {error}.union(*map(_kinds_of, error.__subclasses__()))
    return {kind for kind in kinds if "tests" not in kind.__module__.split(".")}

"""What the proxy sends once more, and what it must not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ..reliability.load import Client
from ..reliability.services import free_port
from ..support.proxy import running_proxy
from .front import CONFIG, Certificate, addresses, client_of

Heard = list[str]


@contextmanager
def server_that_loses_answers(heard: Heard) -> Iterator[str]:
    """Serve at an address: it is always ready, takes requests, and then hangs up."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/readyz":
                heard.append(f"GET {self.path}")
                return
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(f"POST {self.path}")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def heard() -> Heard:
    """The requests that arrived at either server."""
    return []


@pytest.fixture
def client(heard: Heard, certificate: Certificate, tmp_path: Path) -> Iterator[Client]:
    with ExitStack() as running:
        servers = [
            running.enter_context(server_that_loses_answers(heard)) for _ in "ab"
        ]
        environment = addresses(servers, certificate)
        running.enter_context(running_proxy(CONFIG, environment, tmp_path))
        client = client_of(environment, certificate)
        running.callback(client.close)
        yield client


class TestLostAnswer:
    def test_to_a_write_is_told_and_not_asked_for_again(
        self, client: Client, heard: Heard
    ) -> None:
        answer = client.post("/inventory", {"name": "Filter"})

        assert (answer.status, answer.code) == (502, "answer_lost")
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
        assert heard == ["POST /api/inventory"]

    def test_on_a_kept_connection_is_not_asked_for_again_either(
        self, client: Client, heard: Heard
    ) -> None:
        """HAProxy 2.6 ends the connection without a word; 3.0 says what happened."""
        assert client.get("//metrics").status == 404

        answer = client.post("/inventory", {"name": "Filter"})

        assert answer.status in {0, 502}
        assert heard == ["POST /api/inventory"]

    def test_to_a_read_is_asked_for_again(self, client: Client, heard: Heard) -> None:
        answer = client.get("/inventory")

        assert answer.status == 502
        assert set(heard) == {"GET /api/inventory"}
        assert len(heard) > 1


class TestConnectionThatFails:
    def test_is_tried_elsewhere_for_a_write_too(
        self, heard: Heard, certificate: Certificate, tmp_path: Path
    ) -> None:
        nowhere = f"127.0.0.1:{free_port()}"
        with server_that_loses_answers(heard) as somewhere:
            environment = addresses([nowhere, somewhere], certificate)
            with running_proxy(CONFIG, environment, tmp_path):
                for _ in range(4):
                    client = client_of(environment, certificate)
                    assert client.post("/inventory", {}).status == 502
                    client.close()

        assert heard == ["POST /api/inventory"] * 4

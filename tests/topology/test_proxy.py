"""What the proxy lets in, what it says of whom, and what it says itself."""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import ExitStack
from itertools import count
from uuid import uuid4

import pytest
from django.conf import settings

from ..reliability.load import Answer, Client, until
from ..reliability.raw_socket import head_of
from ..reliability.server_log import events_of
from ..reliability.test_input import is_envelope
from ..support.proxy import check_config
from ..support.server import OWNER
from .front import CONFIG, Front
from .test_slow_clients import connected

WRONG = "wrong-horse-battery"
#: What the proxy's log says instead of a server where it answers itself.
NOBODY, REFUSAL = "<NOSRV>", "<lua.refuse>"
SLOW = 20

numbers = count(1)


def new_id() -> str:
    return uuid4().hex


@pytest.fixture
def client(front: Front) -> Client:
    """Somebody who has not signed in, from an address of their own."""
    return front.client_at(f"127.0.2.{next(numbers)}")


class TestConfiguration:
    def test_is_understood_without_a_warning(self, front: Front) -> None:
        assert check_config(CONFIG, front.proxy.environment) == ""


class TestPlainHttp:
    @pytest.mark.parametrize("path", ["/", "/api/auth/me?x=1", "/admin/"])
    def test_is_sent_to_https(self, front: Front, path: str) -> None:
        answer = front.plainly().get(f"/{path}")

        assert answer.status == 301
        assert answer.headers["Location"] == f"{front.url}{path}"

    def test_signs_nobody_in(self, front: Front) -> None:
        answer = front.plainly().post("/auth/login", OWNER)

        assert (answer.status, answer.body) == (301, b"")


class TestTls:
    def test_speaks_http_2(self, front: Front) -> None:
        host, _, port = front.address.partition(":")
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=front.certificate.public)
        context.set_alpn_protocols(["h2"])

        with (
            socket.create_connection((host, int(port))) as plain,
            context.wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            assert wrapped.selected_alpn_protocol() == "h2"
            assert wrapped.version() == "TLSv1.3"

    def test_is_told_to_browsers_once(self, client: Client) -> None:
        answers = [client.get("//"), client.get("//metrics")]

        told = [
            answer.headers.get_all("Strict-Transport-Security") for answer in answers
        ]
        assert told == [["max-age=31536000; includeSubDomains; preload"]] * 2


class TestClaim:
    @pytest.mark.parametrize(
        "claim",
        [
            {"X-Forwarded-For": "10.9.9.9"},
            {"X-Forwarded-For": "10.9.9.9, 127.0.0.1"},
            {"X_Forwarded_For": "10.9.9.9"},
            {"Forwarded": "for=10.9.9.9", "X-Real-IP": "10.9.9.9"},
        ],
        ids=str,
    )
    def test_about_the_address_is_not_believed(
        self, front: Front, claim: dict[str, str]
    ) -> None:
        address = f"127.0.3.{next(numbers)}"
        account = f"{new_id()}@example.com"

        answer = front.client_at(address).post(
            "/auth/login", {"email": account, "password": WRONG}, headers=claim
        )

        assert answer.status == 401
        events = [
            event
            for server in front.servers
            for event in events_of(server.log, "login_failed")
            if event["account"] == account
        ]
        assert [event["address"] for event in events] == [address]

    def test_about_the_scheme_or_the_host_changes_nothing(
        self, front: Front, client: Client
    ) -> None:
        claims = {
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Host": "attacker.example",
            "X-Forwarded-Port": "80",
        }

        answer = client.get("//admin/login/", headers=claims)

        assert answer.status == 200
        assert b"attacker" not in answer.body

    def test_to_be_another_host_is_refused(self, client: Client) -> None:
        assert client.get("/auth/me", headers={"Host": "a.example"}).status == 400


class TestRequestId:
    def test_is_one_for_proxy_server_and_client(
        self, front: Front, client: Client
    ) -> None:
        asked = new_id()

        answer = client.post(
            "/auth/login",
            {"email": f"{asked}@example.com", "password": WRONG},
            headers={"X-Request-ID": asked},
        )

        assert answer.headers["X-Request-ID"] == answer.json()["request_id"] == asked
        record = front.record_of(asked)
        assert (record["status"], record["path"]) == (401, "/api/auth/login")
        assert any(asked in server.log for server in front.servers)

    @pytest.mark.parametrize("asked", ["", "x" * 65, "a b", '"},{"'])
    def test_is_a_new_one_where_none_can_be_used(
        self, front: Front, client: Client, asked: str
    ) -> None:
        answer = client.get("/auth/me", headers={"X-Request-ID": asked})

        given = answer.headers["X-Request-ID"]
        assert re.fullmatch(r"[0-9a-f-]{36}", given)
        assert answer.json()["request_id"] == given
        assert front.record_of(given)["status"] == 401


class TestLog:
    def test_keeps_queries_and_mailed_links_to_itself(
        self, front: Front, client: Client
    ) -> None:
        asked, link = new_id(), f"d6hzq8-{new_id()}"
        headers = {"X-Request-ID": asked}

        client.get(f"//account/password/MQ/{link}/?token=eyJhbGciOi", headers=headers)

        assert front.record_of(asked)["path"] == "/account/password/MQ/[token]/"
        assert link not in front.proxy.log
        assert "eyJ" not in front.proxy.log


class TestFigures:
    @pytest.mark.parametrize(
        "path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/metrics?x=1"]
    )
    def test_are_not_for_those_outside(
        self, front: Front, client: Client, path: str
    ) -> None:
        asked = new_id()

        answer = client.get(f"/{path}", headers={"X-Request-ID": asked})

        assert (answer.status, answer.body) == (404, b"Not found.")
        assert front.record_of(asked)["server"] == NOBODY


# --- Bodies ---------------------------------------------------------------------------


def refused(front: Front, client: Client, path: str, body: bytes) -> Answer:
    """Send a body whole before the answer is read, as most libraries do.

    :raises AssertionError: if an app server heard of it
    """
    asked = new_id()
    answer = client.post(path, body, headers={"X-Request-ID": asked})
    assert answer.status == 413, answer
    assert answer.headers["X-Request-ID"] == asked
    assert front.record_of(asked)["server"] == REFUSAL
    return answer


class TestBody:
    @pytest.mark.parametrize("times", [1, 2, 8, 40])
    def test_over_a_megabyte_is_refused_in_the_words_of_the_api(
        self, front: Front, client: Client, times: int
    ) -> None:
        body = b"x" * (times * settings.MAX_BODY_BYTES + 1)

        answer = refused(front, client, "/auth/login", body)

        assert is_envelope(answer, answer.json())
        assert answer.code == "content_too_large"
        assert str(settings.MAX_BODY_BYTES) in answer.json()["message"]

    def test_of_a_megabyte_is_let_in(self, front: Front, client: Client) -> None:
        answer = client.post("/auth/login", b"x" * settings.MAX_BODY_BYTES)

        assert (answer.status, answer.code) == (400, "invalid")

    def test_without_a_length_is_counted_by_the_server(self, client: Client) -> None:
        chunk = b"%x\r\n%s\r\n" % (65_536, b"x" * 65_536)

        answer = client.post(
            "/auth/login",
            chunk * 24 + b"0\r\n\r\n",
            headers={"Transfer-Encoding": "chunked"},
        )

        assert (answer.status, answer.code) == (413, "content_too_large")

    def test_may_be_a_file_in_the_back_office(
        self, front: Front, client: Client
    ) -> None:
        path = "//admin/inventory/part/import/"

        let_in = client.post(path, b"x" * settings.MAX_UPLOAD_BYTES)

        assert let_in.status == 403  # for want of a token against forged requests
        refused(front, client, path, b"x" * (settings.MAX_UPLOAD_BYTES + 1))


class TestSlowClients:
    def test_are_sent_away_in_words(self, front: Front) -> None:
        head = head_of("POST", "/api/auth/login", Content_Length="1000") + b"\r\n"
        before = len(front.records('"status": 408'))

        with ExitStack() as opened:
            slow = [opened.enter_context(connected(front)) for _ in range(SLOW)]
            for connection in slow:
                connection.sendall(head + b"{")
            answers = [connection.recv(65_536) for connection in slow]

        assert {answer.split()[1] for answer in answers} == {b"408"}
        assert all(b'"code": "request_timeout"' in answer for answer in answers)
        until(lambda: len(front.records('"status": 408')[before:]) == SLOW)
        late = front.records('"status": 408')[before:]
        assert {each["server"] for each in late} == {NOBODY}

"""Requests reach Django as they were sent, and whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import LazySettings

from mechanic_shop.server import bridge
from mechanic_shop.server.bridge import Body, Bridge, environ_of, receive

WHOLE = Body(b"", is_whole=True)


class Headers:
    """What granian hands over: names in lower case, each with all its values."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.pairs = pairs

    def keys(self) -> list[str]:
        return list(dict.fromkeys(name for name, _ in self.pairs))

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def get(self, name: str) -> str | None:
        return next(iter(self.get_all(name)), None)

    def __contains__(self, name: str) -> bool:
        return name in self.keys()


@dataclass
class Scope:
    headers: Headers = field(default_factory=Headers)
    path: str = "/api/parts"
    method: str = "POST"
    query_string: str = ""
    http_version: str = "1.1"
    scheme: str = "http"
    server: str = "127.0.0.1:8000"
    client: str = "192.0.2.1:5000"


async def pieces(*contents: bytes, then_silence: bool = False) -> AsyncIterator[bytes]:
    for content in contents:
        yield content
    if then_silence:
        await asyncio.Event().wait()


@dataclass
class Flood:
    """A piece in each turn of the event loop, until it is over."""

    piece: bytes
    seconds: float
    is_over: bool = False

    def __post_init__(self) -> None:
        self.end = time.monotonic() + self.seconds

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if time.monotonic() > self.end:
            self.is_over = True
            raise StopAsyncIteration
        return self.piece


def received(scope: Scope, body: AsyncIterator[bytes]) -> Body:
    return asyncio.run(receive(scope, body))


def sized(length: int) -> Scope:
    return Scope(Headers(("content-length", str(length))))


class TestEnviron:
    def test_joins_what_was_sent_twice(self) -> None:
        headers = Headers(
            *[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")],
            *[("cookie", "a=1"), ("cookie", "b=2")],
        )

        environ = environ_of(Scope(headers), WHOLE)

        assert environ["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2"
        assert environ["HTTP_COOKIE"] == "a=1; b=2"

    def test_does_not_take_an_underscore_for_a_hyphen(self) -> None:
        forged = Headers(("x_forwarded_for", "6.6.6.6"), ("content_length", "7"))

        environ = environ_of(Scope(forged), WHOLE)

        assert "HTTP_X_FORWARDED_FOR" not in environ
        assert environ["CONTENT_LENGTH"] == ""

    def test_spells_a_path_as_the_standard_wants(self) -> None:
        environ = environ_of(Scope(path="/api/é"), WHOLE)

        assert environ["PATH_INFO"].encode("latin-1") == "/api/é".encode()

    @pytest.mark.parametrize(
        ("client", "address"),
        [("192.0.2.1:5000", "192.0.2.1"), ("[2001:db8::1]:5000", "2001:db8::1")],
    )
    def test_knows_the_address_without_the_port(
        self, client: str, address: str
    ) -> None:
        assert environ_of(Scope(client=client), WHOLE)["REMOTE_ADDR"] == address

    def test_tells_the_length_of_what_is_there(self) -> None:
        environ = environ_of(Scope(), Body(b"{}", is_whole=True))

        assert (environ["CONTENT_LENGTH"], environ["wsgi.input"].read()) == ("2", b"{}")

    def test_keeps_the_length_that_was_too_much(self) -> None:
        environ = environ_of(sized(10**9), Body(b"", is_whole=False))

        assert environ["CONTENT_LENGTH"] == str(10**9)


class TestReceive:
    def test_joins_the_pieces(self) -> None:
        assert received(sized(4), pieces(b"ab", b"cd")) == Body(b"abcd", is_whole=True)

    def test_waits_for_nothing_where_nothing_was_announced(self) -> None:
        assert received(Scope(), pieces(then_silence=True)) == WHOLE

    @pytest.mark.parametrize("length", ["1048577", "-1", "many", "²"])
    def test_does_not_wait_for_what_will_be_refused(self, length: str) -> None:
        scope = Scope(Headers(("content-length", length)))

        body = received(scope, pieces(then_silence=True))

        assert body == Body(b"", is_whole=False)

    def test_stops_at_the_limit(self, settings: LazySettings) -> None:
        settings.MAX_BODY_BYTES = 3
        scope = Scope(Headers(("transfer-encoding", "chunked")))

        body = received(scope, pieces(b"ab", b"cdef", then_silence=True))

        assert body == Body(b"abcd", is_whole=False)

    def test_takes_files_where_the_back_office_is(self, settings: LazySettings) -> None:
        settings.MAX_BODY_BYTES = 1
        scope = Scope(Headers(("content-length", "2")), path="/admin/")

        assert received(scope, pieces(b"ab")).is_whole

    def test_stops_throwing_away_however_fast_the_rest_comes(
        self, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.MAX_BODY_BYTES = 3
        monkeypatch.setattr(bridge, "LINGER_SECONDS", 0.05)
        scope = Scope(Headers(("transfer-encoding", "chunked")))
        flood = Flood(b"abcd", seconds=5)

        body = received(scope, flood)

        assert body == Body(b"abcd", is_whole=False)
        assert not flood.is_over

    def test_gives_up_on_silence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bridge, "PIECE_SECONDS", 0.01)

        with pytest.raises(TimeoutError):
            received(sized(4), pieces(b"ab", then_silence=True))


class TestAnswer:
    def test_streams_what_django_streams(self) -> None:
        sent: list[Any] = []

        class Stream:
            async def send_bytes(self, data: bytes) -> None:
                sent.append(data)

        class Protocol:
            def response_stream(self, status: int, headers: Any) -> Stream:
                sent.append((status, headers))
                return Stream()

        class Chunks(list[bytes]):
            streaming = True

        async def answer() -> None:
            loop = asyncio.get_running_loop()
            out = bridge.Answer(Protocol(), loop, closes=True)
            out.start("200 OK", [("a", "b")])
            await loop.run_in_executor(None, out.send, Chunks([b"x", b"y"]))

        asyncio.run(answer())

        assert sent == [(200, [("a", "b"), bridge.CLOSE]), b"x", b"y"]


class Asked:
    """What a bridge answers by itself, and what it hands to the application."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.status = 0
        self.headers: list[tuple[str, str]] = []

    def response_str(
        self, status: int, headers: list[tuple[str, str]], body: str
    ) -> None:
        self.status, self.headers = status, headers

    def response_bytes(
        self, status: int, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        self.status, self.headers = status, headers

    def get(self, path: str) -> tuple[int, bool]:
        """Return the status, and whether the connection ends with the answer."""
        asyncio.run(self.bridge.__rsgi__(Scope(path=path, method="GET"), self))
        return self.status, bridge.CLOSE in self.headers


class TestBridge:
    @pytest.fixture
    def asked(self) -> Asked:
        def application(environ: Any, start: Any) -> list[bytes]:
            start("200 OK", [])
            return [b"{}"]

        return Asked(Bridge(application, threads=1))

    def test_that_leaves_says_so_to_proxies_and_serves_everybody_else(
        self, asked: Asked
    ) -> None:
        asked.bridge.leave()

        answers = [asked.get(path) for path in ("/readyz", "/healthz", "/api/parts")]

        assert answers == [(503, True), (200, True), (200, True)]

    def test_that_hands_over_to_another_worker_stays_ready(self, asked: Asked) -> None:
        asked.bridge.drain()

        assert asked.get("/readyz") == (200, True)

    def test_keeps_its_connections_otherwise(self, asked: Asked) -> None:
        assert asked.get("/readyz") == (200, False)

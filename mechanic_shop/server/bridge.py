"""From granian's event loop to Django's WSGI application, and back.

granian can run a WSGI application itself, but then a thread waits for the rest of each
request. A client that sends half a body and stops would keep one busy without end, and
a few of them all. Here bodies arrive in the event loop, where waiting costs nothing; a
thread begins when there is a whole request to answer.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from io import BytesIO
from typing import Any, NamedTuple
from uuid import uuid4

from django.conf import settings

from mechanic_shop.api.errors import error_body
from mechanic_shop.api.middleware.request_id import HEADER
from mechanic_shop.core.request_id import current_request_id

from .threads import Threads

#: Without another piece of a body for so long, the client is told to try again.
PIECE_SECONDS = 10
#: A body that is not there after so long never will be.
BODY_SECONDS = 60
#: Most clients read nothing before they have sent everything. The rest of a body that
#: is refused is thrown away for so long, so that they come to read why.
LINGER_SECONDS = 0.5
#: Answered apart from all else: they say how the process is, also when every thread
#: waits for a database.
APART = frozenset({"/healthz", "/metrics"})
#: Where a proxy asks whether to send requests here.
READINESS = "/readyz"
CLOSE = ("connection", "close")
#: What a worker is told by: to drain, to leave, to stop.
SIGNALS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)

Headers = list[tuple[str, str]]
Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Body(NamedTuple):
    """What has arrived; ``is_whole`` is False where the rest was not waited for."""

    content: bytes
    is_whole: bool


class Bridge:
    """Answer requests of granian's RSGI interface with a WSGI application."""

    def __init__(self, application: Application, *, threads: int) -> None:
        self.application = application
        self.threads = Threads(threads, name="request")
        self.thread_apart = Threads(1, name="apart")
        self.is_draining = False
        self.is_leaving = False

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.add_signal_handler(signal.SIGUSR1, self.drain)
        loop.add_signal_handler(signal.SIGUSR2, self.leave)
        # What the parent said while this worker started arrives when the loop runs:
        # before that, uvloop would lose it.
        loop.call_soon(signal.pthread_sigmask, signal.SIG_UNBLOCK, SIGNALS)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        # Whoever asked may have gone, and what was begun is finished all the same.
        self.threads.stop()
        self.thread_apart.stop()

    def drain(self) -> None:
        """From now on ask clients to reconnect, to a worker that goes on."""
        self.is_draining = True

    def leave(self) -> None:
        """From now on tell a proxy to ask another server: all workers of this one end.

        Until they do, everything else is answered as ever.
        """
        self.is_leaving = True
        self.drain()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        if self.is_leaving and scope.path == READINESS:
            protocol.response_str(503, *leaving())
            return
        try:
            body = await receive(scope, protocol)
        except TimeoutError:
            protocol.response_str(408, *late())
            return
        threads = self.thread_apart if scope.path in APART else self.threads
        loop = asyncio.get_running_loop()
        answer = Answer(protocol, loop, closes=self.is_draining or not body.is_whole)
        await threads.run(self.run, scope, body, answer)

    def run(self, scope: Any, body: Body, answer: Answer) -> None:
        chunks = self.application(environ_of(scope, body), answer.start)
        try:
            answer.send(chunks)
        finally:
            # In the same thread: this is where Django looks after its connections.
            if hasattr(chunks, "close"):
                chunks.close()


class Answer:
    """What goes back; used by one thread."""

    def __init__(
        self, protocol: Any, loop: asyncio.AbstractEventLoop, *, closes: bool
    ) -> None:
        self.protocol = protocol
        self.loop = loop
        self.closes = closes
        self.status = 500
        self.headers: Headers = []

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = [*headers, CLOSE] if self.closes else headers

    def send(self, chunks: Iterable[bytes]) -> None:
        if getattr(chunks, "streaming", False):
            self._stream(chunks)
        else:
            body = b"".join(chunks)
            self.protocol.response_bytes(self.status, self.headers, body)

    def _stream(self, chunks: Iterable[bytes]) -> None:
        """Send chunk by chunk, the next one when the client has taken the last."""
        stream = self.protocol.response_stream(self.status, self.headers)
        for chunk in chunks:
            sent = asyncio.run_coroutine_threadsafe(send(stream, chunk), self.loop)
            sent.result()


async def send(stream: Any, chunk: bytes) -> None:
    """Make a coroutine of what granian returns, which can only be awaited."""
    await stream.send_bytes(chunk)


def leaving() -> tuple[Headers, str]:
    """Build the answer to a proxy that asks while the server is about to stop."""
    headers = [("content-type", "application/json"), CLOSE]
    return headers, json.dumps({"status": "stopping"})


def late() -> tuple[Headers, str]:
    """Build the answer to a request that did not arrive; Django never hears of it."""
    current_request_id.set(uuid4().hex)
    body = error_body(408, "request_timeout", "The rest of the request did not arrive.")
    headers = [
        ("content-type", "application/json"),
        (HEADER.lower(), current_request_id.get()),
        CLOSE,
    ]
    return headers, json.dumps(body)


async def receive(scope: Any, protocol: Any) -> Body:
    """Wait for the body, but for one that will be refused for its size.

    :raises TimeoutError: if it does not come
    """
    length = scope.headers.get("content-length")
    if length is None and "transfer-encoding" not in scope.headers:
        return Body(b"", is_whole=True)
    limit = limit_of(scope.path)
    pieces = aiter(protocol)
    if length is not None and (not length.isdecimal() or int(length) > limit):
        if "expect" not in scope.headers:  # who asks first has sent nothing yet
            await throw_away(pieces)
        return Body(b"", is_whole=False)
    content = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        while (piece := await _next(pieces)) is not None:
            content += piece
            if len(content) > limit:
                await throw_away(pieces)
                return Body(bytes(content[: limit + 1]), is_whole=False)
    return Body(bytes(content), is_whole=True)


async def throw_away(pieces: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while await _next(pieces) is not None:
                pass


async def _next(pieces: Any) -> bytes | None:
    # Not wait_for: before Python 3.12 it forgets that it was to end if a piece arrives
    # in the same moment, and pieces go on arriving.
    try:
        async with asyncio.timeout(PIECE_SECONDS):
            piece: bytes = await anext(pieces)
    except StopAsyncIteration:
        return None
    return piece


def limit_of(path: str) -> int:
    """Return how many bytes a body may have: the API's little, the admin's a file."""
    if path == "/api" or path.startswith("/api/"):
        return int(settings.MAX_BODY_BYTES)
    return int(settings.MAX_UPLOAD_BYTES)


def environ_of(scope: Any, body: Body) -> Environ:
    """Say in the words of PEP 3333 what was asked for."""
    server, _, port = scope.server.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode("utf-8", "surrogatepass").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body.content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    add_headers(environ, scope.headers)
    if body.is_whole or "CONTENT_LENGTH" not in environ:
        environ["CONTENT_LENGTH"] = str(len(body.content)) if body.content else ""
    return environ


def add_headers(environ: Environ, headers: Any) -> None:
    names: list[str] = headers.keys()
    for name in names:
        # One with an underscore would pass for its twin with a hyphen, which a proxy
        # may have set.
        if "_" in name or name == "transfer-encoding":
            continue
        joint = "; " if name == "cookie" else ","
        key = name.upper().replace("-", "_")
        if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            key = f"HTTP_{key}"
        environ[key] = joint.join(headers.get_all(name))

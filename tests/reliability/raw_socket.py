"""Connections that break off, stall or send too much, as no client library does."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

PATIENCE_SECONDS = 30


class RawSocket:
    """One connection to the server, on which a test writes what it likes."""

    def __init__(self, url: str, *, patience: float = PATIENCE_SECONDS) -> None:
        address = urlsplit(url)
        assert address.hostname
        assert address.port
        self._socket = socket.create_connection((address.hostname, address.port))
        self._socket.settimeout(patience)
        self.started = time.monotonic()
        #: Whether the server wants no further request after its last answer.
        self.said_close = False

    def send(self, raw: bytes) -> None:
        self._socket.sendall(raw)

    def try_to_send(self, raw: bytes) -> None:
        """Send to a server that may have hung up."""
        with suppress(OSError):
            self._socket.sendall(raw)

    def send_while_it_listens(self, pieces: Iterable[bytes]) -> Thread:
        """Send in the background until the server hangs up; the answer may be read."""

        def send_all() -> None:
            with suppress(OSError):
                for piece in pieces:
                    self._socket.sendall(piece)

        thread = Thread(target=send_all)
        thread.start()
        return thread

    def answer(self) -> tuple[int, Any, float]:
        """Return status, JSON, and the seconds since the connection began.

        :raises ConnectionError: if the server hangs up without an answer
        """
        raw = b""
        while not _is_complete(raw):
            piece = self._socket.recv(65_536)
            if not piece:
                raise ConnectionError(f"The server hung up after {raw!r}.")
            raw += piece
        seconds = time.monotonic() - self.started
        head, _, body = raw.partition(b"\r\n\r\n")
        self.said_close = b"connection: close" in head.lower()
        return int(head.split()[1]), json.loads(_without_frames(head, body)), seconds

    def close(self) -> None:
        self._socket.close()


def _is_complete(raw: bytes) -> bool:
    head, separator, body = raw.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        return body.endswith(b"0\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
    return bool(separator and length) and len(body) >= int(length)


def _without_frames(head: bytes, body: bytes) -> bytes:
    """Take the JSON out of its chunk; the shop's errors are never in two."""
    if b"transfer-encoding: chunked" in head.lower():
        return body.split(b"\r\n")[1]
    return body


@contextmanager
def raw_sockets(url: str, number: int) -> Iterator[list[RawSocket]]:
    """Open so many connections, and close them at the end."""
    with ExitStack() as opened:
        connections = []
        for _ in range(number):
            connections.append(RawSocket(url))
            opened.callback(connections[-1].close)
        yield connections


def head_of(method: str, path: str, **headers: str) -> bytes:
    """Write the head of a request, without the empty line that ends it."""
    fields = {"Host": "127.0.0.1", "Content-Type": "application/json", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, ""]).encode()

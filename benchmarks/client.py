"""One connection to a server, for what is asked once and looked at."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from .data import PASSWORD, email_of
from .dataset_size import MANAGER_ID
from .workloads import Call

TIMEOUT_SECONDS = 120


class Answer(NamedTuple):
    status: int
    json: Any


class Client:
    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=TIMEOUT_SECONDS
        )
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def send(self, call: Call) -> Answer:
        try:
            return self._send(call)
        except (http.client.RemoteDisconnected, ConnectionError):
            # The server closed a connection on which nothing was asked for long.
            self.close()
            return self._send(call)

    def _send(self, call: Call) -> Answer:
        body = call.body.encode() or None
        self._connection.request(call.method, call.path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        is_json = "json" in (answer.getheader("content-type") or "")
        return Answer(answer.status, json.loads(content) if is_json else content)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def client_of(port: int, token: str = "") -> Iterator[Client]:
    client = Client(port, token)
    try:
        yield client
    finally:
        client.close()


def sign_in(port: int, login: int = MANAGER_ID) -> str:
    """Return an access token that the product gave for a password."""
    body = json.dumps({"email": email_of(login), "password": PASSWORD})
    with client_of(port) as client:
        answer = client.send(Call("POST", "/api/auth/login", body))
    assert answer.status == 200, answer
    return str(answer.json["access_token"])

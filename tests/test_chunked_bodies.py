"""Bodies without a length, as the server hands them on."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from .support.server import Server

pytestmark = pytest.mark.xdist_group("demo server")

CREDENTIALS = {"email": "test@example.com", "password": "password123"}


def in_chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


class TestChunkedBody:
    # One test and one sign-in: the server's limits are on.
    def test_is_read_and_limited_like_any_other(self, demo_server: Server) -> None:
        client = demo_server.sign_in(**CREDENTIALS)

        def patch(body: bytes) -> httpx.Response:
            headers = {"Content-Type": "application/json"}
            return client.patch(
                "/customers/1", content=in_chunks(body), headers=headers
            )

        assert patch(b'{"city": "Chunky"}').json()["city"] == "Chunky"
        assert patch(b"not json").status_code == 400
        assert patch(b'"' + b"0" * 1_500_000 + b'"').status_code == 413

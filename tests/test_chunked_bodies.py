"""Bodies without a length, as the server hands them on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .server import Server

pytestmark = pytest.mark.xdist_group("demo server")

CREDENTIALS = {"email": "test@example.com", "password": "password123"}


def in_chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


class TestChunkedBody:
    @pytest.mark.parametrize(
        ("body", "status_code"),
        [
            (b'{"city": "Chunky"}', 200),
            (b"not json", 400),
            (b'"' + b"0" * 1_500_000 + b'"', 413),
        ],
    )
    def test_is_read_like_any_other(
        self, demo_server: Server, body: bytes, status_code: int
    ) -> None:
        client = demo_server.sign_in(**CREDENTIALS)

        answer = client.patch(
            "/customers/1",
            content=in_chunks(body),
            headers={"Content-Type": "application/json"},
        )

        assert answer.status_code == status_code
        if status_code == 200:
            assert answer.json()["city"] == "Chunky"

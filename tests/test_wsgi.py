"""What the way from the server to Django adds."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.db import connection

from mechanic_shop.core.statement_timeout import SECONDS, SQLiteLimit
from mechanic_shop.wsgi import MOST_BYTES, read_to_the_end


def refuse(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    """Answer without a look at the body."""
    start("403 Forbidden", [])
    return [b"no"]


class TestReadToTheEnd:
    def left_of(self, body: bytes, **environ: Any) -> bytes:
        """Return what of a body has not been read when the answer begins."""
        stream = BytesIO(body)
        environ |= {"wsgi.input": stream, "wsgi.input_terminated": True}
        answer = read_to_the_end(refuse)(environ, lambda *_: None)
        assert list(answer) == [b"no"]
        return stream.read()

    def test_leaves_nothing_of_a_refused_body(self) -> None:
        assert self.left_of(b"x" * 200_000, CONTENT_LENGTH="200000") == b""

    @pytest.mark.parametrize("environ", [{}, {"CONTENT_LENGTH": str(MOST_BYTES + 1)}])
    def test_does_not_wait_for_what_has_no_end(self, environ: dict[str, str]) -> None:
        assert self.left_of(b"x", **environ) == b"x"


@pytest.mark.django_db
class TestConnection:
    def test_limits_its_statements(self) -> None:
        new = connection.copy()
        new.ensure_connection()
        try:
            if new.vendor == "sqlite":
                assert any(
                    isinstance(each, SQLiteLimit) for each in new.execute_wrappers
                )
            else:
                with new.cursor() as cursor:
                    cursor.execute("SELECT @@max_statement_time")
                    assert cursor.fetchone() == (SECONDS,)
        finally:
            new.close()

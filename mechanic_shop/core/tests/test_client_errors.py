from __future__ import annotations

import logging
import sys
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from mechanic_shop.core.log_formatters import ClientErrorFilter, LineFormatter


def logged(name: str, **facts: Any) -> str:
    """Format a record with a traceback as the console shows it."""
    try:
        raise ValueError("Invalid HTTP_HOST header: 'evil'.")
    except ValueError as error:
        record = logging.LogRecord(
            name, logging.ERROR, "x.py", 1, str(error), None, sys.exc_info()
        )
    vars(record).update(facts)
    ClientErrorFilter().filter(record)
    return LineFormatter("{message}", style="{").format(record)


class TestRejectedRequests:
    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("django.security.DisallowedHost", {}),
            ("django.security.TooManyFieldsSent", {}),
            ("django.request", {"status_code": 400}),
        ],
    )
    def test_are_one_line(self, name: str, facts: dict[str, Any]) -> None:
        assert logged(name, **facts) == "Invalid HTTP_HOST header: 'evil'."

    @pytest.mark.parametrize(
        ("name", "facts"),
        [("django.request", {"status_code": 500}), ("shop", {}), ("django", {})],
    )
    def test_errors_of_the_server_keep_their_traceback(
        self, name: str, facts: dict[str, Any]
    ) -> None:
        assert "ValueError" in logged(name, **facts)

    def test_console_leaves_the_traceback_out(self) -> None:
        assert "client_errors" in settings.LOGGING["handlers"]["console"]["filters"]

    @pytest.mark.parametrize("path", ["/", "/admin/login/", "/api/mechanics"])
    def test_strange_host_is_a_400(self, path: str) -> None:
        client = Client(HTTP_HOST="evil.example")

        assert client.get(path).status_code == 400

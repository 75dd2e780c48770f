"""One record for each request, with what an operator looks for and nothing private."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from tests.support.captured_logs import captured_logs
from tests.test_settings import GOOD, start

ON = override_settings(
    MIDDLEWARE=[
        "mechanic_shop.operations.access_log.AccessLogMiddleware",
        *settings.MIDDLEWARE,
    ]
)


@pytest.mark.django_db
class TestAccessLog:
    @ON
    def test_says_who_asked_for_what_and_what_came_of_it(
        self, shop: Any, owner: User
    ) -> None:
        path = f"/api/inventory/{PartFactory.create().pk}"

        with captured_logs("access") as lines:
            answer = shop.get(path, {"search": "Ada Quill"})

        [line] = lines
        assert line.pop("duration_ms") > 0
        assert line.pop("time").endswith("Z")
        assert line == {
            "level": "INFO",
            "logger": "access",
            "message": "request",
            "request_id": answer["X-Request-ID"],
            "method": "GET",
            "route": "/api/inventory/{pk}",
            "path": path,
            "status": 200,
            "user_id": owner.pk,
        }

    @ON
    def test_hides_the_token_in_a_mailed_link(self, client: Client) -> None:
        token = f"c4xk9p-{'0123456789abcdef' * 2}"

        with captured_logs("access") as lines:
            client.get(f"/account/password/MQ/{token}/")

        assert lines[0]["path"] == "/account/password/MQ/[token]/"

    @ON
    def test_sees_what_other_middleware_answers(self, client: Client) -> None:
        with captured_logs("access") as lines:
            client.post("/api/auth/login", "x" * 2_000_000, "application/json")
            client.get("/api/nothing")

        assert [(line["status"], line["route"]) for line in lines] == [
            (413, "unmatched"),
            (404, "unmatched"),
        ]
        assert "user_id" in lines[0]

    @pytest.mark.parametrize(("switch", "is_there"), [("true", "True"), ("", "False")])
    def test_is_there_only_where_it_is_switched_on(
        self, switch: str, is_there: str
    ) -> None:
        code = """
from django.conf import settings
print(any("access_log" in name for name in settings.MIDDLEWARE))"""

        done = start(GOOD | {"ACCESS_LOG": switch}, code)

        assert (done.stdout.strip(), done.stderr) == (is_there, "")

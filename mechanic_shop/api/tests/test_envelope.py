from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.test import Client

pytestmark = pytest.mark.django_db

PAGE = {"accept": "text/html"}

#: Method, path, status: what Django or a library refuses before a view of ours.
REFUSED = [
    ("post", "/api/docs", 405),
    ("post", "/api/redoc/", 405),
    ("delete", "/api/schema", 405),
    ("get", "/api/login/out/", 405),
    ("post", "/api/login/", 403),
]


class TestEnvelope:
    @pytest.mark.parametrize(("method", "path", "status"), REFUSED)
    def test_holds_what_others_refuse(
        self, method: str, path: str, status: int
    ) -> None:
        client = Client(enforce_csrf_checks=True)

        answer = getattr(client, method)(path)

        assert answer.status_code == status
        assert answer["Content-Type"] == "application/json"
        assert answer.json()["error"].startswith(str(status))
        assert answer.json()["request_id"] == answer["X-Request-ID"]

    @pytest.mark.parametrize("debug", [True, False])
    def test_holds_a_strange_host(self, settings: LazySettings, debug: bool) -> None:
        settings.DEBUG = debug

        answer = Client().get("/api/mechanics", headers={"host": "evil.example"})

        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid"

    def test_keeps_the_methods_that_are_allowed(self) -> None:
        assert "GET" in Client().post("/api/docs")["Allow"]

    def test_leaves_pages_to_people(self) -> None:
        client = Client(enforce_csrf_checks=True)

        answer = client.post("/api/login/", headers=PAGE)

        assert answer.status_code == 403
        assert answer["Content-Type"].startswith("text/html")

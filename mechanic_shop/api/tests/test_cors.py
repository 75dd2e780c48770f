"""Which pages of other origins may call the API, and what they read of an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from inventory.tests.factories import PartFactory
from inventory.views import PartViewSet

FRONT_END = "https://app.example"
STRANGERS = (
    *("https://app.example.evil.example", "https://evil.example", "null"),
    *("http://app.example", "https://app.example:8443", "https://sub.app.example"),
)
#: What the contract tells clients to send, and to read.
SENT = {
    *("authorization", "content-type", "idempotency-key"),
    *("if-match", "if-none-match", "x-request-id"),
}
READ = {
    *("etag", "x-request-id", "idempotency-replayed", "retry-after"),
    *("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
    *("www-authenticate", "allow", "content-disposition"),
}


@pytest.fixture(autouse=True)
def _front_end(settings: LazySettings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [FRONT_END]


def words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",")}


def preflight(path: str, origin: str = FRONT_END, method: str = "PATCH") -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ", ".join(sorted(SENT)),
    }
    return Client().options(path, headers=headers)


def may_read(answer: Any) -> bool:
    return bool(answer.headers.get("Access-Control-Allow-Origin") == FRONT_END)


class TestPreflight:
    """No test asks for the database: neither does a preflight."""

    @pytest.mark.parametrize("path", ["/api", "/api/", "/api/inventory/1"])
    def test_allows_what_a_front_end_sends(self, path: str) -> None:
        answer = preflight(path)

        assert (answer.status_code, answer.content) == (200, b"")
        assert may_read(answer)
        assert words(answer["Access-Control-Allow-Headers"]) >= SENT
        methods = words(answer["Access-Control-Allow-Methods"])
        assert methods == {"get", "post", "put", "patch", "delete", "options"}

    def test_is_asked_once_a_day(self) -> None:
        assert preflight("/api/inventory")["Access-Control-Max-Age"] == "86400"

    def test_is_kept_apart_by_origin(self) -> None:
        assert "origin" in words(preflight("/api/inventory")["Vary"])

    @pytest.mark.parametrize("origin", STRANGERS)
    def test_tells_strangers_nothing(self, origin: str) -> None:
        answer = preflight("/api/inventory", origin)

        assert not [name for name in answer.headers if name.startswith("Access-")]

    def test_tells_nobody_anything_unless_there_is_a_list(
        self, settings: LazySettings
    ) -> None:
        settings.CORS_ALLOWED_ORIGINS = []

        assert not may_read(preflight("/api/inventory"))


@pytest.mark.django_db
class TestAnswer:
    def test_can_be_read_with_its_headers(self, shop: APIClient) -> None:
        part = PartFactory.create()

        answer = shop.get(f"/api/inventory/{part.pk}", headers={"Origin": FRONT_END})

        assert answer.status_code == 200
        assert may_read(answer)
        assert words(answer["Access-Control-Expose-Headers"]) >= READ
        assert "origin" in words(answer["Vary"])

    @pytest.mark.parametrize("origin", STRANGERS)
    def test_cannot_be_read_by_strangers(self, shop: APIClient, origin: str) -> None:
        answer = shop.get("/api/inventory", headers={"Origin": origin})

        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer.headers

    def test_is_never_one_for_a_cookie(self, shop: APIClient) -> None:
        answer = shop.get("/api/inventory", headers={"Origin": FRONT_END})

        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer["Access-Control-Allow-Origin"] != "*"

    @pytest.mark.parametrize("path", ["/", "/admin/login/", "/healthz", "/apiary"])
    def test_of_another_page_stays_closed(self, client: Client, path: str) -> None:
        assert not may_read(client.get(path, headers={"Origin": FRONT_END}))


Ask = Callable[[APIClient], Any]
HERE = {"Origin": FRONT_END}
#: What somebody asks for, by the status of the refusal.
REFUSALS: list[tuple[int, str, Ask]] = [
    (400, "no JSON", lambda a: a.post("/api/auth/login", {"x": 1}, headers=HERE)),
    (400, "host", lambda a: a.get("/api/", headers=HERE, HTTP_HOST="evil.example")),
    (401, "nobody", lambda a: a.get("/api/inventory", headers=HERE)),
    (404, "no path", lambda a: a.get("/api/nothing", headers=HERE)),
    (404, "no path, no slash", lambda a: a.get("/api/nothing/at/all", headers=HERE)),
    (405, "view", lambda a: a.get("/api/auth/login", headers=HERE)),
    (405, "library's view", lambda a: a.post("/api/docs", {}, headers=HERE)),
    (413, "body", lambda a: a.post("/api/auth/login", "x" * 2**21, headers=HERE)),
    (415, "XML", lambda a: a.generic("POST", "/api/auth/login", "<a/>", headers=HERE)),
]


@pytest.mark.django_db
class TestRefusal:
    @pytest.mark.parametrize(
        ("status", "ask"),
        [
            pytest.param(status, ask, id=f"{status} {why}")
            for status, why, ask in REFUSALS
        ],
    )
    def test_can_be_read_as_well(
        self, anonymous: APIClient, status: int, ask: Ask
    ) -> None:
        answer = ask(anonymous)

        assert answer.status_code == status
        assert may_read(answer)
        assert answer.json()["error"].startswith(str(status))
        assert words(answer["Access-Control-Expose-Headers"]) >= READ

    def test_of_a_rate_limit_says_when_to_come_back(
        self, anonymous: APIClient, settings: LazySettings
    ) -> None:
        settings.THROTTLES = {**settings.THROTTLES, "LOGIN": (1, 60)}
        body = {"email": "nobody@example.com", "password": "wrong-horse-battery"}
        anonymous.post("/api/auth/login", body)

        answer = anonymous.post("/api/auth/login", body, headers=HERE)

        assert answer.status_code == 429
        assert may_read(answer)
        assert int(answer["Retry-After"]) > 0

    @pytest.mark.parametrize(
        ("failure", "status"), [(OperationalError("away"), 503), (KeyError("bug"), 500)]
    )
    def test_of_a_server_in_trouble_can_be_read(
        self,
        shop: APIClient,
        monkeypatch: pytest.MonkeyPatch,
        failure: Exception,
        status: int,
    ) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise failure

        monkeypatch.setattr(PartViewSet, "list", fail)

        answer = shop.get("/api/inventory", headers=HERE)

        assert answer.status_code == status
        assert may_read(answer)

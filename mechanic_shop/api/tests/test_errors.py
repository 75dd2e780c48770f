"""Every failure under ``/api`` answers in one shape and carries the request's id."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, InterfaceError, OperationalError
from django.test import Client
from rest_framework.test import APIClient

from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanics.models import Mechanic
from mechanics.views import MechanicViewSet

pytestmark = pytest.mark.django_db

ENVELOPE = {"error", "message", "code", "request_id"}


def assert_envelope(
    response: Any, status_line: str, code: str, *more: str
) -> dict[str, Any]:
    """Check everything that all failures share; return the body for the rest."""
    body: dict[str, Any] = response.json()
    assert response["Content-Type"] == "application/json"
    assert response.status_code == int(status_line[:3])
    assert (body["error"], body["code"]) == (status_line, code)
    assert set(body) == ENVELOPE | set(more)
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["request_id"] == response["X-Request-ID"]
    return body


@pytest.fixture
def breakable(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Let the ranking of mechanics raise what the test says."""

    def break_with(error: Exception) -> None:
        def broken(*args: Any, **kwargs: Any) -> None:
            raise error

        monkeypatch.setattr(MechanicViewSet, "_top", broken)

    return break_with


class TestErrorEnvelope:
    def test_calls_a_row_that_has_just_been_deleted_not_found(
        self, shop: APIClient, breakable: Callable[[Exception], None]
    ) -> None:
        breakable(Mechanic.DoesNotExist())

        assert_envelope(shop.get("/api/mechanics/top"), "404 Not Found", "not_found")

    def test_names_the_bad_fields_of_a_400(self, shop: APIClient) -> None:
        response = shop.post("/api/mechanics", {"full_name": "", "email": "nobody"})

        body = assert_envelope(response, "400 Bad Request", "invalid", "fields")
        assert set(body["fields"]) == {"full_name", "email", "phone", "salary"}
        assert all(isinstance(said, list) for said in body["fields"].values())

    def test_is_without_fields_where_no_field_is_at_fault(
        self, shop: APIClient
    ) -> None:
        response = shop.post("/api/mechanics", b"{", content_type="application/json")

        assert_envelope(response, "400 Bad Request", "invalid")

    def test_asks_the_unknown_for_a_token(self, anonymous: APIClient) -> None:
        response = anonymous.get("/api/customers")

        assert_envelope(response, "401 Unauthorized", "not_authenticated")
        assert response["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("token", ["nonsense", "a.b.c", "é", "x" * 5000])
    def test_asks_again_when_the_token_is_none(
        self, anonymous: APIClient, token: str
    ) -> None:
        anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

        response = anonymous.get("/api/customers")

        assert_envelope(response, "401 Unauthorized", "token_not_valid")
        assert response["WWW-Authenticate"].startswith("Bearer")

    def test_answers_401_to_half_an_authorization_header(
        self, anonymous: APIClient
    ) -> None:
        anonymous.credentials(HTTP_AUTHORIZATION="Bearer two words")

        response = anonymous.get("/api/customers")

        assert response.status_code == 401
        assert set(response.json()) == ENVELOPE
        assert response["WWW-Authenticate"].startswith("Bearer")

    def test_forbids_what_somebody_known_may_not(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        response = client_of(UserFactory.create()).get("/api/inventory")

        assert_envelope(response, "403 Forbidden", "permission_denied")

    @pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
    @pytest.mark.parametrize(
        "path",
        ["/api/nothing", "/api/customers/x", "/api/mechanics/1/wing", "/api/é"],
    )
    def test_covers_unknown_paths_for_everyone(
        self, anonymous: APIClient, method: str, path: str
    ) -> None:
        response = getattr(anonymous, method)(path)

        assert_envelope(response, "404 Not Found", "not_found")

    def test_covers_missing_rows(self, shop: APIClient) -> None:
        response = shop.get("/api/mechanics/0")

        assert_envelope(response, "404 Not Found", "not_found")

    def test_covers_ids_that_no_column_can_hold(self, shop: APIClient) -> None:
        response = shop.get(f"/api/mechanics/{10**30}")

        assert_envelope(response, "404 Not Found", "not_found")

    def test_names_the_methods_that_a_path_does_know(self, shop: APIClient) -> None:
        response = shop.delete("/api/mechanics")

        assert_envelope(response, "405 Method Not Allowed", "method_not_allowed")
        assert {"GET", "POST"} <= set(response["Allow"].split(", "))
        assert "DELETE" not in response["Allow"]

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("put", "/api/vehicles/1"),
            ("post", "/api/auth/me"),
            ("get", "/api/auth/login"),
        ],
    )
    def test_refuses_other_methods_to_whoever_may_use_these(
        self, shop: APIClient, method: str, path: str
    ) -> None:
        response = getattr(shop, method)(path)

        assert_envelope(response, "405 Method Not Allowed", "method_not_allowed")

    def test_adds_what_a_conflict_is_about(self, shop: APIClient) -> None:
        part = PartFactory.create(quantity_in_stock=3)

        response = shop.patch(
            f"/api/inventory/{part.pk}/adjust-quantity", {"adjustment": -5}
        )

        body = assert_envelope(
            response, "409 Conflict", "insufficient_stock", "requested", "available"
        )
        assert (body["requested"], body["available"]) == (5, 3)

    def test_refuses_a_body_over_the_limit(
        self, shop: APIClient, settings: LazySettings
    ) -> None:
        body = b" " * (settings.MAX_BODY_BYTES + 1)

        response = shop.post("/api/mechanics", body, content_type="application/json")

        assert response.status_code == 413
        body_of_answer = response.json()
        assert body_of_answer["error"].startswith("413 ")
        assert body_of_answer["code"] == "content_too_large"
        assert set(body_of_answer) == ENVELOPE

    def test_refuses_media_types_it_cannot_read(self, shop: APIClient) -> None:
        response = shop.post("/api/mechanics", "a;b", content_type="text/csv")

        assert_envelope(
            response, "415 Unsupported Media Type", "unsupported_media_type"
        )

    def test_tells_the_impatient_how_long_to_wait(
        self, anonymous: APIClient, settings: LazySettings
    ) -> None:
        settings.THROTTLES = {**settings.THROTTLES, "LOGIN": (1, 86_400 * 3650)}
        anonymous.post("/api/auth/login", {})

        response = anonymous.post("/api/auth/login", {})

        body = assert_envelope(response, "429 Too Many Requests", "throttled")
        assert body["message"].startswith("Rate limit exceeded")
        assert int(response["Retry-After"]) > 0

    def test_keeps_the_cause_of_a_500_to_itself(
        self,
        shop: APIClient,
        breakable: Callable[[Exception], None],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        breakable(ZeroDivisionError("the secret cause"))

        response = shop.get("/api/mechanics/top")

        assert_envelope(response, "500 Internal Server Error", "server_error")
        assert "secret" not in response.content.decode()
        assert "the secret cause" in caplog.text

    @pytest.mark.parametrize("error", [OperationalError, InterfaceError])
    def test_says_when_the_database_is_away(
        self,
        shop: APIClient,
        breakable: Callable[[Exception], None],
        error: type[Exception],
    ) -> None:
        breakable(error("(2006, 'Server has gone away')"))

        response = shop.get("/api/mechanics/top")

        body = assert_envelope(
            response, "503 Service Unavailable", "database_unavailable"
        )
        assert "2006" not in body["message"]
        assert int(response["Retry-After"]) > 0

    def test_says_when_the_database_is_away_before_anyone_is_known(
        self, shop: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(identifier: str, user_id: int) -> None:
            raise OperationalError("(2002, 'Connection refused')")

        monkeypatch.setattr(
            "mechanic_shop.accounts.authentication.Session.objects.load", away
        )

        response = shop.get("/api/mechanics")

        assert_envelope(response, "503 Service Unavailable", "database_unavailable")
        assert int(response["Retry-After"]) > 0

    def test_turns_a_constraint_that_had_the_last_word_into_a_conflict(
        self, shop: APIClient, breakable: Callable[[Exception], None]
    ) -> None:
        breakable(IntegrityError("UNIQUE constraint failed: secret_table"))

        response = shop.get("/api/mechanics/top")

        body = assert_envelope(response, "409 Conflict", "conflict")
        assert "secret_table" not in body["message"]

    def test_stays_json_where_a_browser_gets_a_page_elsewhere(
        self, client: Client
    ) -> None:
        inside = client.get("/api/nothing", headers={"accept": "*/*"})
        outside = client.get("/nothing")

        assert (inside.status_code, outside.status_code) == (404, 404)
        assert inside["Content-Type"] == "application/json"
        assert outside["Content-Type"].startswith("text/html")

    def test_covers_a_host_name_that_is_not_ours(self, anonymous: APIClient) -> None:
        response = anonymous.get("/api/customers", HTTP_HOST="evil.example")

        assert_envelope(response, "400 Bad Request", "invalid")


class TestRequestId:
    @pytest.mark.parametrize(
        "sane",
        ["7", "abc-123", "A.b_c-9", "x" * 64, "0f8fad5b-d9cb-469f-a165-7086"],
    )
    def test_is_taken_over_when_it_is_sane(
        self, anonymous: APIClient, sane: str
    ) -> None:
        response = anonymous.get("/api/customers", headers={"X-Request-ID": sane})

        assert response["X-Request-ID"] == sane
        assert response.json()["request_id"] == sane

    @pytest.mark.parametrize(
        "odd", ["", "two words", "x" * 65, "a/b", "<b>", "é", "line\nbreak", "a,b"]
    )
    def test_is_replaced_when_it_is_not(self, anonymous: APIClient, odd: str) -> None:
        response = anonymous.get("/api/customers", headers={"X-Request-ID": odd})

        assert re.fullmatch(r"[0-9a-f]{32}", response["X-Request-ID"])
        assert response.json()["request_id"] == response["X-Request-ID"]

    def test_is_new_for_each_request(self, anonymous: APIClient) -> None:
        ids = {anonymous.get("/api/customers")["X-Request-ID"] for _ in range(5)}

        assert len(ids) == 5

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/", 200),
            ("/healthz", 200),
            ("/api/", 200),
            ("/api/schema", 200),
            ("/admin/", 302),
            ("/nothing", 404),
            ("/api/nothing", 404),
            ("/api/mechanics", 200),
            ("/api/mechanics/0", 404),
        ],
    )
    def test_is_on_every_answer(self, shop: APIClient, path: str, status: int) -> None:
        response = shop.get(path, headers={"X-Request-ID": "mine-1"})

        assert response.status_code == status
        assert response["X-Request-ID"] == "mine-1"

    def test_is_on_an_answer_that_no_view_gave(
        self, shop: APIClient, settings: LazySettings
    ) -> None:
        response = shop.post(
            "/api/mechanics",
            b" " * (settings.MAX_BODY_BYTES + 1),
            content_type="application/json",
            headers={"X-Request-ID": "mine-2"},
        )

        assert (response.status_code, response["X-Request-ID"]) == (413, "mine-2")
        assert response.json()["request_id"] == "mine-2"

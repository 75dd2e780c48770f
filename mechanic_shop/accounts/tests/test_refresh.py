from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings
from rest_framework.response import Response
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import Session
from mechanic_shop.accounts.services import TokenPair, start_session
from mechanic_shop.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

START = datetime(2030, 5, 6, 12, tzinfo=UTC)


@pytest.fixture
def pair() -> TokenPair:
    return start_session(user=UserFactory.create())


def refresh(token: object) -> Response:
    return APIClient().post("/api/auth/refresh", {"refresh_token": token})


def status_of_me(access_token: str) -> int:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token}")
    return client.get("/api/auth/me").status_code


def forged(key: str | None = None, **claims: Any) -> str:
    """Sign a refresh token of our own making, by default with the right key."""
    payload = {
        "token_type": "refresh",
        "jti": "0" * 32,
        "exp": datetime.now(UTC) + timedelta(days=1),
        **claims,
    }
    signing_key = key or settings.SIMPLE_JWT["SIGNING_KEY"]
    return jwt.encode(payload, signing_key, algorithm="HS256")


class TestRefresh:
    def test_gives_a_new_pair_of_the_same_session(self, pair: TokenPair) -> None:
        answer = refresh(pair.refresh_token)

        assert answer.status_code == 200
        assert answer.data.keys() == {"access_token", "refresh_token"}
        assert answer.data["refresh_token"] != pair.refresh_token
        assert status_of_me(answer.data["access_token"]) == 200
        assert Session.objects.count() == 1

    def test_works_over_and_over_with_the_newest_token(self, pair: TokenPair) -> None:
        token = pair.refresh_token

        for _ in range(3):
            answer = refresh(token)
            assert answer.status_code == 200
            token = answer.data["refresh_token"]

    def test_needs_no_access_token_and_minds_no_dead_one(self, pair: TokenPair) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION="Bearer expired-long-ago")

        answer = client.post(
            "/api/auth/refresh/", {"refresh_token": pair.refresh_token}
        )

        assert answer.status_code == 200

    def test_ends_the_whole_session_when_a_used_token_comes_again(
        self, pair: TokenPair
    ) -> None:
        newest = refresh(pair.refresh_token).data

        reuse = refresh(pair.refresh_token)

        assert reuse.status_code == 401
        assert reuse.data["code"] == "token_not_valid"
        assert refresh(newest["refresh_token"]).status_code == 401
        assert status_of_me(newest["access_token"]) == 401
        assert Session.objects.get().revoked_at is not None

    def test_leaves_other_sessions_alone_when_a_used_token_comes_again(
        self, pair: TokenPair
    ) -> None:
        other = start_session(user=Session.objects.get().user)
        refresh(pair.refresh_token)

        refresh(pair.refresh_token)

        assert status_of_me(other.access_token) == 200
        assert refresh(other.refresh_token).status_code == 200

    @pytest.mark.parametrize(
        "token", ["x", "a.b.c", "é.é.é", "e30.e30.", "." * 4000], ids=repr
    )
    def test_refuses_what_is_no_token(self, token: str) -> None:
        answer = refresh(token)

        assert answer.status_code == 401
        assert answer.data["code"] == "token_not_valid"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("body", [{}, {"refresh_token": ""}], ids=str)
    def test_names_a_missing_token(self, body: dict[str, str]) -> None:
        answer = APIClient().post("/api/auth/refresh", body)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"refresh_token"}

    def test_refuses_an_access_token(self, pair: TokenPair) -> None:
        assert refresh(pair.access_token).status_code == 401
        assert status_of_me(pair.access_token) == 200

    def test_token_is_refused_as_an_access_token(self, pair: TokenPair) -> None:
        assert status_of_me(pair.refresh_token) == 401
        assert refresh(pair.refresh_token).status_code == 200

    @pytest.mark.parametrize(
        "claims",
        [
            {},
            {"user_id": "1"},
            {"user_id": "1", "session": "0" * 32},
            {"session": "0" * 32},
        ],
        ids=str,
    )
    def test_refuses_a_token_of_no_session(self, claims: dict[str, Any]) -> None:
        assert refresh(forged(**claims)).status_code == 401

    def test_refuses_a_token_signed_with_the_wrong_key(self, pair: TokenPair) -> None:
        session = Session.objects.get()
        claims: dict[str, Any] = {
            "user_id": str(session.user_id),
            "session": session.identifier,
            "jti": session.refresh_jti,
            "iat": int(time.time()),
        }

        answer = refresh(forged(settings.SECRET_KEY, **claims))

        assert answer.status_code == 401
        assert refresh(forged(**claims)).status_code == 200, "the claims were right"

    def test_refuses_an_unsigned_token(self, pair: TokenPair) -> None:
        claims = jwt.decode(pair.refresh_token, options={"verify_signature": False})

        unsigned = jwt.encode(claims, None, algorithm="none")

        assert refresh(unsigned).status_code == 401

    def test_refuses_an_expired_token(self) -> None:
        with time_machine.travel(START, tick=False):
            pair = start_session(user=UserFactory.create())

        lifetime = timedelta(days=settings.REFRESH_TOKEN_DAYS)
        with time_machine.travel(START + lifetime + timedelta(seconds=1), tick=False):
            assert refresh(pair.refresh_token).status_code == 401
        with time_machine.travel(START + lifetime - timedelta(minutes=1), tick=False):
            assert refresh(pair.refresh_token).status_code == 200

    def test_outlives_the_access_token(self) -> None:
        with time_machine.travel(START, tick=False):
            pair = start_session(user=UserFactory.create())

        lifetime = timedelta(minutes=settings.ACCESS_TOKEN_MINUTES)
        with time_machine.travel(START + lifetime - timedelta(seconds=5), tick=False):
            assert status_of_me(pair.access_token) == 200
        with time_machine.travel(START + lifetime + timedelta(seconds=5), tick=False):
            assert status_of_me(pair.access_token) == 401
            assert refresh(pair.refresh_token).status_code == 200

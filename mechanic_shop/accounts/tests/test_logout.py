from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.services import start_session
from mechanic_shop.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


class TestLogout:
    def test_kills_the_access_and_the_refresh_token(self, anonymous: APIClient) -> None:
        pair = start_session(user=UserFactory.create())
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access_token}")

        answer = client.post("/api/auth/logout")

        assert answer.status_code == 204
        assert answer.content == b""
        assert client.get("/api/auth/me").status_code == 401
        body = {"refresh_token": pair.refresh_token}
        assert anonymous.post("/api/auth/refresh", body).status_code == 401
        assert Session.objects.get().revoked_at is not None

    def test_takes_the_refresh_token_in_the_body(self) -> None:
        pair = start_session(user=UserFactory.create())
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access_token}")

        answer = client.post("/api/auth/logout", {"refresh_token": pair.refresh_token})

        assert answer.status_code == 204
        assert Session.objects.get().revoked_at is not None

    def test_leaves_the_other_sessions_of_the_user_alive(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        user = UserFactory.create()
        phone, laptop = client_of(user), client_of(user)

        phone.post("/api/auth/logout")

        assert phone.get("/api/auth/me").status_code == 401
        assert laptop.get("/api/auth/me").status_code == 200

    def test_cannot_end_somebody_elses_session_with_their_refresh_token(
        self, client_of: Callable[[User], APIClient], anonymous: APIClient
    ) -> None:
        victims = start_session(user=UserFactory.create())
        body = {"refresh_token": victims.refresh_token}

        client_of(UserFactory.create()).post("/api/auth/logout", body)

        assert anonymous.post("/api/auth/refresh", body).status_code == 200

    def test_ends_a_session_of_the_back_office_too(self) -> None:
        client = APIClient()
        client.force_login(UserFactory.create(superuser=True))

        assert client.post("/api/auth/logout").status_code == 204

        assert client.get("/api/auth/me").status_code == 401

    def test_asks_for_a_token(self, anonymous: APIClient) -> None:
        answer = anonymous.post("/api/auth/logout")

        assert answer.status_code == 401
        assert answer.data["code"] == "not_authenticated"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

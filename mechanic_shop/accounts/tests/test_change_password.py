from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import authenticate
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

NEW = "a-different-staple-horse"


@pytest.fixture
def user() -> User:
    return UserFactory.create(email="robin@example.com")


def change(client: APIClient, current: str, new: str) -> tuple[int, set[str]]:
    """Return the status and the names of the fields that were complained about."""
    body = {"current_password": current, "new_password": new}
    answer = client.post("/api/auth/password", body)
    return answer.status_code, set((answer.data or {}).get("fields", {}))


def opens(password: str) -> bool:
    return authenticate(username="robin@example.com", password=password) is not None


class TestChangePassword:
    def test_replaces_the_password(
        self, user: User, client_of: Callable[[User], APIClient]
    ) -> None:
        assert change(client_of(user), PASSWORD, NEW) == (204, set())

        assert opens(NEW)
        assert not opens(PASSWORD)

    def test_ends_all_sessions_of_the_user_and_of_nobody_else(
        self, user: User, client_of: Callable[[User], APIClient]
    ) -> None:
        here, elsewhere = client_of(user), client_of(user)
        somebody_else = client_of(UserFactory.create())

        change(here, PASSWORD, NEW)

        assert here.get("/api/auth/me").status_code == 401
        assert elsewhere.get("/api/auth/me").status_code == 401
        assert somebody_else.get("/api/auth/me").status_code == 200
        assert not user.sessions.still_alive().exists()

    def test_refuses_a_wrong_current_password(
        self, user: User, client_of: Callable[[User], APIClient]
    ) -> None:
        client = client_of(user)

        assert change(client, "not-it", NEW) == (400, {"current_password"})

        assert opens(PASSWORD)
        assert client.get("/api/auth/me").status_code == 200

    @pytest.mark.parametrize(
        "weak",
        ["short-7", "password123", "8402957103", "robin@example", "x" * 129],
        ids=["too short", "common", "only digits", "like the email", "too long"],
    )
    def test_refuses_a_weak_new_password(
        self, user: User, client_of: Callable[[User], APIClient], weak: str
    ) -> None:
        assert change(client_of(user), PASSWORD, weak) == (400, {"new_password"})

        assert opens(PASSWORD)
        assert Session.objects.still_alive().count() == 1

    @pytest.mark.parametrize(
        "good",
        ["tr0ub4d!", "mn" * 64, "  spaces at both ends  ", "пароль-из-букв"],
        ids=["8 characters", "128 characters", "spaces", "not ASCII"],
    )
    def test_takes_a_password_to_the_letter(
        self, user: User, client_of: Callable[[User], APIClient], good: str
    ) -> None:
        assert change(client_of(user), PASSWORD, good) == (204, set())

        assert opens(good)
        assert not opens(good.strip() + " ")

    def test_asks_for_a_token(self, anonymous: APIClient) -> None:
        assert change(anonymous, PASSWORD, NEW) == (401, set())

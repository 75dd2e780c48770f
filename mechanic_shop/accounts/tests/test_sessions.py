from __future__ import annotations

from collections.abc import Callable

import jwt
import pytest
from django.conf import LazySettings, settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from mechanic_shop.accounts.authentication import SessionTokenAuthentication
from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.accounts.services import set_password, start_session
from mechanic_shop.accounts.tests.factories import UserFactory, user_in

pytestmark = pytest.mark.django_db

NEW = "a-different-staple-horse"


def by_service(user: User) -> None:
    set_password(user=user, password=NEW)


def by_hand(user: User) -> None:
    user.set_password(NEW)
    user.save()


def by_hand_without_the_model(user: User) -> None:
    user.set_password(NEW)
    User.objects.filter(pk=user.pk).update(password=user.password)


def by_making_it_unusable(user: User) -> None:
    user.set_unusable_password()
    user.save(update_fields=["password"])


def by_switch(user: User) -> None:
    user.is_active = False
    user.save()


def by_bulk_update(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def by_deleting(user: User) -> None:
    user.delete()


def by_bulk_deleting(user: User) -> None:
    User.objects.filter(pk=user.pk).delete()


class TestSession:
    @pytest.mark.parametrize(
        "end",
        [
            by_service,
            by_hand,
            by_hand_without_the_model,
            by_making_it_unusable,
            by_switch,
            by_bulk_update,
            by_deleting,
            by_bulk_deleting,
        ],
    )
    def test_ends_with_its_users_password_activity_or_life(
        self, end: Callable[[User], None], anonymous: APIClient
    ) -> None:
        user = UserFactory.create()
        pair = start_session(user=user)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access_token}")
        assert client.get("/api/auth/me").status_code == 200

        end(user)

        answer = client.get("/api/auth/me")
        assert answer.status_code == 401
        assert answer.data["code"] == "token_not_valid"
        body = {"refresh_token": pair.refresh_token}
        assert anonymous.post("/api/auth/refresh", body).status_code == 401

    def test_stays_ended_when_the_login_is_switched_on_again(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        user = UserFactory.create()
        client = client_of(user)
        by_switch(user)

        user.is_active = True
        user.save()

        assert client.get("/api/auth/me").status_code == 401

    def test_survives_what_is_no_change_of_the_password(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        user = UserFactory.create()
        client = client_of(user)

        user.first_name = "Alex"
        user.save()

        assert client.get("/api/auth/me").data["first_name"] == "Alex"

    def test_is_loaded_with_its_user_in_one_query(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        user = UserFactory.create()
        header = f"Bearer {start_session(user=user).access_token}"
        request = Request(APIRequestFactory().get("/", HTTP_AUTHORIZATION=header))

        with django_assert_num_queries(1):
            signed_in = SessionTokenAuthentication().authenticate(request)
            assert signed_in is not None
            assert signed_in[1].user.email == user.email

        assert signed_in == (user, Session.objects.get())

    def test_gives_both_tokens_its_name_and_the_role(self) -> None:
        pair = start_session(user=user_in(TECHNICIAN))

        for token in (pair.access_token, pair.refresh_token):
            claims = jwt.decode(
                token, settings.SIMPLE_JWT["SIGNING_KEY"], algorithms=["HS256"]
            )
            assert claims["session"] == Session.objects.get().identifier
            assert claims["role"] == "technician"
            assert claims["customer_id"] is None

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Bearer",
            "Bearer x",
            "Bearer a b",
            "Bearer \xfc",
            "Basic eDp5",
            "Token x",
        ],
    )
    def test_is_not_found_behind_a_malformed_header(
        self, header: str, anonymous: APIClient
    ) -> None:
        anonymous.credentials(HTTP_AUTHORIZATION=header)

        answer = anonymous.get("/api/auth/me")

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


class TestSessionHash:
    def test_without_a_salt_is_that_of_the_password(self) -> None:
        user = UserFactory.create()

        assert user.get_session_auth_hash() == AbstractBaseUser.get_session_auth_hash(
            user
        )

    @pytest.mark.parametrize("is_salted", [False, True])
    def test_outlives_a_change_of_the_secret_key(
        self, client: Client, settings: LazySettings, is_salted: bool
    ) -> None:
        user = UserFactory.create(superuser=True)
        if is_salted:
            user.end_sessions()
        client.force_login(user)

        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-key-that-is-longer-than-thirty-two-bytes"

        assert client.get("/admin/").status_code == 200

    def test_changes_when_the_sessions_end(self, client: Client) -> None:
        user = UserFactory.create(superuser=True)
        client.force_login(user)
        start_session(user=user)

        user.end_sessions()

        assert not user.sessions.still_alive().exists()
        assert client.get("/admin/").status_code == 302

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth import authenticate
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.http import urlsafe_base64_encode
from pytest_django import Settings
from rest_framework.response import Response
from rest_framework.test import APIClient

from mechanic_shop.accounts import services
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

ADDRESS = "robin@example.com"
NEW = "a-different-staple-horse"
Mails = Callable[[], list[EmailMessage]]
LINK = re.compile(r"https?://\S+")


@pytest.fixture
def user() -> User:
    return UserFactory.create(email=ADDRESS, first_name="Robin")


@pytest.fixture
def link(user: User, sent_mails: Mails) -> str:
    """The link that was mailed to the user."""
    services.send_set_password_link(user=user)
    return link_in(sent_mails()[-1])


def link_in(mail: EmailMessage) -> str:
    found = LINK.search(str(mail.body))
    assert found is not None
    return found.group()


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def ask(email: str) -> Response:
    return APIClient().post("/api/auth/password-reset", {"email": email})


def confirm(link: str, password: str = NEW, **changes: str) -> Response:
    uid, token = link.rstrip("/").split("/")[-2:]
    body = {"uid": uid, "token": token, "new_password": password, **changes}
    return APIClient().post("/api/auth/password-reset/confirm", body)


def statements(queries: CaptureQueriesContext) -> list[str]:
    """Return what was asked of the database, without the values."""
    return [re.sub(r"'[^']*'|\d+|NULL", "?", query["sql"]) for query in queries]


def opens(password: str) -> bool:
    return authenticate(username=ADDRESS, password=password) is not None


class TestPasswordReset:
    @pytest.mark.parametrize("typed", [ADDRESS, "  Robin@EXAMPLE.com "])
    def test_mails_a_link_under_the_public_url(
        self, user: User, settings: Settings, sent_mails: Mails, typed: str
    ) -> None:
        settings.PUBLIC_URL = "https://shop.example/garage"

        assert ask(typed).status_code == 200

        (mail,) = sent_mails()
        assert mail.to == [ADDRESS]
        assert re.fullmatch(
            r"https://shop\.example/garage/account/password/[^/]+/[^/]+/", link_in(mail)
        )

    @pytest.mark.parametrize("is_active", [True, False])
    def test_answers_the_same_whether_the_address_can_sign_in_or_not(
        self, is_active: bool, sent_mails: Mails
    ) -> None:
        UserFactory.create(email=ADDRESS, is_active=is_active)

        known, unknown = ask(ADDRESS), ask("nobody@example.com")

        assert (known.status_code, unknown.status_code) == (200, 200)
        assert known.data == unknown.data
        assert known.data.keys() == {"message"}
        assert len(sent_mails()) == int(is_active)

    @pytest.mark.parametrize("is_active", [True, False])
    def test_does_the_same_work_for_any_address(
        self, is_active: bool, mailoutbox: list[EmailMessage]
    ) -> None:
        UserFactory.create(email=ADDRESS, is_active=is_active)

        with CaptureQueriesContext(connection) as of_known:
            ask(ADDRESS)
        with CaptureQueriesContext(connection) as of_unknown:
            ask("nobody@example.com")

        assert statements(of_known) == statements(of_unknown)
        assert mailoutbox == []

    def test_changes_nothing_before_the_link_is_used(
        self, user: User, client_of: Callable[[User], APIClient]
    ) -> None:
        client = client_of(user)

        ask(ADDRESS)

        assert opens(PASSWORD)
        assert client.get("/api/auth/me").status_code == 200

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"email": "no address"},
            {"email": f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.{'f' * 9}"},
        ],
        ids=["none", "no address", "255 characters"],
    )
    def test_names_an_address_that_is_none(self, body: dict[str, str]) -> None:
        answer = APIClient().post("/api/auth/password-reset", body)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"email"}


class TestConfirmPasswordReset:
    def test_sets_the_password_and_ends_all_sessions(
        self, user: User, link: str, client_of: Callable[[User], APIClient]
    ) -> None:
        client = client_of(user)

        answer = confirm(link)

        assert answer.status_code == 204
        assert opens(NEW)
        assert not opens(PASSWORD)
        assert client.get("/api/auth/me").status_code == 401

    def test_refuses_a_used_link(self, link: str) -> None:
        confirm(link)

        answer = confirm(link, "yet-another-horse-staple")

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"token"}
        assert opens(NEW)

    def test_refuses_a_link_that_another_change_of_the_password_outdated(
        self, user: User, link: str
    ) -> None:
        services.set_password(user=user, password="set-in-the-meantime")

        assert confirm(link).status_code == 400

        assert opens("set-in-the-meantime")

    @pytest.mark.parametrize("path", ["/api/auth/login", "/api/login/"])
    def test_sign_in_ends_the_links_mailed_before(
        self, user: User, link: str, path: str
    ) -> None:
        name = "email" if path.endswith("auth/login") else "username"
        APIClient().post(path, {name: user.email, "password": PASSWORD}, "multipart")

        assert confirm(link).status_code == 400

        assert opens(PASSWORD)

    def test_refuses_the_link_of_a_deactivated_login(
        self, user: User, link: str
    ) -> None:
        user.is_active = False
        user.save()

        assert confirm(link).status_code == 400

        user.refresh_from_db()
        assert user.check_password(PASSWORD)

    def test_lets_the_link_live_when_the_password_is_weak(self, link: str) -> None:
        answer = confirm(link, "password")

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"new_password"}
        assert confirm(link).status_code == 204

    @pytest.mark.parametrize(
        "uid",
        [
            "%%%",
            "é",
            urlsafe_base64_encode(b"nobody"),
            urlsafe_base64_encode(b"\xff\xfe"),
            urlsafe_base64_encode(b"-1"),
            urlsafe_base64_encode(b"9" * 30),
        ],
        ids=str,
    )
    def test_refuses_a_uid_of_nobody(self, link: str, uid: str) -> None:
        assert confirm(link, uid=uid).status_code == 400
        assert opens(PASSWORD)

    def test_refuses_the_token_of_somebody_else(self, link: str) -> None:
        other = UserFactory.create()
        uid = urlsafe_base64_encode(str(other.pk).encode())

        assert confirm(link, uid=uid).status_code == 400

        other.refresh_from_db()
        assert other.check_password(PASSWORD)


class TestPageBehindTheLink:
    def test_lets_the_user_choose_a_password(
        self, user: User, link: str, client: Client
    ) -> None:
        form = client.get(path_of(link), follow=True)
        page = form.redirect_chain[-1][0]

        body = {"new_password1": NEW, "new_password2": NEW}
        done = client.post(page, body, follow=True)

        assert form.status_code == 200
        assert b'name="new_password1"' in form.content
        assert done.redirect_chain == [("/account/password/done/", 302)]
        assert done.status_code == 200
        assert opens(NEW)

    def test_ends_all_sessions(
        self,
        user: User,
        link: str,
        client: Client,
        client_of: Callable[[User], APIClient],
    ) -> None:
        signed_in = client_of(user)
        page = client.get(path_of(link), follow=True).redirect_chain[-1][0]

        client.post(page, {"new_password1": NEW, "new_password2": NEW})

        assert signed_in.get("/api/auth/me").status_code == 401

    @pytest.mark.parametrize(
        ("first", "second"),
        [("password", "password"), (NEW, "something-else"), ("mn" * 65, "mn" * 65)],
        ids=["weak", "two different ones", "longer than a login takes"],
    )
    def test_shows_the_form_again_for_a_bad_password(
        self, user: User, link: str, client: Client, first: str, second: str
    ) -> None:
        page = client.get(path_of(link), follow=True).redirect_chain[-1][0]

        answer = client.post(page, {"new_password1": first, "new_password2": second})

        assert answer.status_code == 200
        assert b'class="error"' in answer.content
        assert opens(PASSWORD)

    def test_says_that_a_used_link_is_used(self, link: str, client: Client) -> None:
        confirm(link)

        answer = client.get(path_of(link))

        assert answer.status_code == 200
        assert b"not valid any more" in answer.content
        assert b"<form" not in answer.content

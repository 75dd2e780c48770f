"""Security events: each through its real door, and none of them can be forged."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from io import StringIO
from typing import Any, cast
from urllib.parse import quote

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, TECHNICIAN
from mechanic_shop.accounts.services import start_session
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory, user_in
from mechanic_shop.core.log_formatters import JsonFormatter

pytestmark = pytest.mark.django_db

NEW = "a-different-staple-horse"
WRONG = "wrong-horse-battery"
API_DOORS = ["/api/auth/login", "/api/customers/login"]
FORMS = ["/api/login/", "/admin/login/"]
ODD = "\r\n\x1b[2J\x85\u2028"
FORGED = f'{ODD}{{"logger": "security", "message": "login_ok"}}'

Mails = Callable[[], list[EmailMessage]]
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Read what the security log wrote since the last time, line by line."""
    handlers = logging.getLogger("security").handlers
    (handler,) = (
        cast("logging.StreamHandler[StringIO]", handler)
        for handler in handlers
        if isinstance(handler.formatter, JsonFormatter)
        and isinstance(handler, logging.StreamHandler)
    )
    monkeypatch.setattr(handler, "stream", StringIO(newline=""))

    def read() -> list[dict[str, Any]]:
        text = handler.stream.getvalue()
        handler.stream.seek(0)
        handler.stream.truncate()
        return [json.loads(line) for line in text.splitlines()]

    return read


def facts(line: dict[str, Any]) -> dict[str, Any]:
    """Leave out what every line has."""
    always = {"time", "level", "logger", "request_id", "address", "method", "path"}
    return {name: fact for name, fact in line.items() if name not in always}


def log_in(door: str, email: str, password: str, client: Client | None = None) -> Any:
    client = client or Client()
    if door in API_DOORS:
        body = {"email": email, "password": password}
        return client.post(door, body, content_type="application/json")
    return client.post(door, {"username": email, "password": password})


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


class TestEveryLine:
    def test_says_when_from_where_and_through_which_door(self, lines: Lines) -> None:
        user = UserFactory.create()

        answer = log_in(API_DOORS[0], user.email, WRONG, Client(REMOTE_ADDR="1.2.3.4"))

        (line,) = lines()
        assert line.pop("time").endswith("Z")
        assert line == {
            "level": "WARNING",
            "logger": "security",
            "message": "login_failed",
            "request_id": answer["X-Request-ID"],
            "account": user.email,
            "address": "1.2.3.4",
            "method": "POST",
            "path": API_DOORS[0],
        }

    def test_has_no_query_string(self, lines: Lines) -> None:
        Client().post("/admin/login/?next=/secret", {"username": "a", "password": "b"})

        assert "secret" not in str(lines())


class TestLogin:
    @pytest.mark.parametrize("door", API_DOORS)
    def test_is_told_with_its_session(self, lines: Lines, door: str) -> None:
        user = UserFactory.create()

        log_in(door, user.email, PASSWORD)

        (line,) = lines()
        session = user.sessions.get()
        assert (line["level"], line["path"]) == ("INFO", door)
        assert facts(line) == {
            "message": "login_ok",
            "user_id": user.pk,
            "session_id": session.pk,
        }

    @pytest.mark.parametrize("door", FORMS)
    def test_is_told_at_the_forms(self, lines: Lines, owner: User, door: str) -> None:
        log_in(door, owner.email, PASSWORD)

        (line,) = lines()
        assert line["path"] == door
        assert facts(line) == {"message": "login_ok", "user_id": owner.pk}

    def test_is_told_of_somebody_new(self, lines: Lines, anonymous: APIClient) -> None:
        person = {"first_name": "Ann", "last_name": "Lee", "phone": "1"}
        body = {**person, "email": "ann@example.com", "password": PASSWORD}

        anonymous.post("/api/auth/register", body)

        (line,) = lines()
        assert line["path"] == "/api/auth/register"
        assert line["user_id"] == User.objects.get().pk

    @pytest.mark.parametrize("door", API_DOORS + FORMS)
    def test_is_told_when_it_fails(self, lines: Lines, owner: User, door: str) -> None:
        log_in(door, f" {owner.email.upper()}", WRONG)

        (line,) = lines()
        assert (line["level"], line["path"]) == ("WARNING", door)
        assert facts(line) == {"message": "login_failed", "account": owner.email}

    @pytest.mark.parametrize("typed", [WRONG, f"{'x' * 250}@shop.test", "ä@shop.test"])
    def test_shows_no_account_that_may_be_a_password(
        self, lines: Lines, typed: str
    ) -> None:
        for door in API_DOORS + FORMS:
            log_in(door, typed, WRONG)

        failed = [facts(line) for line in lines()]
        assert {"message": "login_failed"} in failed
        assert not any("account" in line for line in failed)

    def test_is_told_when_the_back_office_stays_closed(self, lines: Lines) -> None:
        customer = UserFactory.create()

        log_in("/admin/login/", customer.email, PASSWORD)

        (line,) = lines()
        assert facts(line) == {"message": "login_failed", "user_id": customer.pk}


class TestLogout:
    def test_is_told_with_its_session(self, lines: Lines) -> None:
        user = UserFactory.create()
        token = start_session(user=user).access_token
        lines()

        headers = {"Authorization": f"Bearer {token}"}
        APIClient().post("/api/auth/logout", {}, headers=headers)

        (line,) = lines()
        session = user.sessions.get()
        assert facts(line) == {
            "message": "logout",
            "user_id": user.pk,
            "session_id": session.pk,
        }

    def test_is_told_of_the_back_office(self, lines: Lines, owner: User) -> None:
        browser = browser_of(owner)
        lines()

        browser.post("/admin/logout/")

        (line,) = lines()
        assert facts(line) == {"message": "logout", "user_id": owner.pk}


class TestRefusal:
    def test_is_told_by_the_api(
        self, lines: Lines, client_of: Callable[[User], APIClient]
    ) -> None:
        user = UserFactory.create()
        client = client_of(user)
        lines()

        answer = client.post("/api/mechanics", {})

        (line,) = lines()
        assert line["request_id"] == answer["X-Request-ID"]
        assert (line["method"], line["path"]) == ("POST", "/api/mechanics")
        assert facts(line) == {
            "message": "denied",
            "status": 403,
            "user_id": user.pk,
        }

    def test_is_told_by_the_back_office(self, lines: Lines) -> None:
        user = user_in(TECHNICIAN)
        browser = browser_of(user)
        lines()

        browser.get(reverse("admin:accounts_user_changelist"))

        (line,) = lines()
        assert (line["message"], line["user_id"]) == ("denied", user.pk)

    def test_of_a_form_without_its_token_asks_no_query(
        self,
        lines: Lines,
        owner: User,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(owner)
        lines()

        with django_assert_num_queries(0):
            browser.post("/api/login/", {})

        (line,) = lines()
        assert facts(line) == {"message": "denied", "status": 403}

    def test_conceals_a_mailed_link(self, lines: Lines, sent_mails: Mails) -> None:
        path = mailed_link(UserFactory.create(), sent_mails)
        lines()

        Client(enforce_csrf_checks=True).post(path)

        (line,) = lines()
        assert line["path"].endswith("/[token]/")

    @pytest.mark.parametrize("door", API_DOORS + FORMS)
    def test_of_too_many_tries_is_told(
        self, lines: Lines, settings: LazySettings, door: str
    ) -> None:
        settings.THROTTLES = {**settings.THROTTLES, "LOGIN": (1, 86_400 * 3650)}

        for _ in range(2):
            log_in(door, "a@shop.test", WRONG)

        failed, throttled = lines()
        assert (failed["message"], throttled["level"]) == ("login_failed", "WARNING")
        assert facts(throttled) == {"message": "throttled", "status": 429}


class TestRefreshToken:
    def test_is_told_of_when_it_comes_a_second_time(self, lines: Lines) -> None:
        user = UserFactory.create()
        body = {"refresh_token": start_session(user=user).refresh_token}
        lines()

        for _ in range(3):
            APIClient().post("/api/auth/refresh", body)

        (line,) = lines()
        assert line["level"] == "WARNING"
        assert facts(line) == {
            "message": "refresh_token_reused",
            "user_id": user.pk,
            "session_id": user.sessions.get().pk,
        }


def mailed_link(user: User, sent_mails: Mails) -> str:
    APIClient().post("/api/auth/password-reset", {"email": user.email})
    return str(sent_mails()[-1].body).split("127.0.0.1:8000")[1].split()[0]


class TestPassword:
    def test_is_told_of_when_its_owner_changes_it(
        self, lines: Lines, owner: User, shop: APIClient
    ) -> None:
        lines()

        body = {"current_password": PASSWORD, "new_password": NEW}
        shop.post("/api/auth/password", body)

        (line,) = lines()
        assert facts(line) == {
            "message": "password_changed",
            "user_id": owner.pk,
            "sessions_ended": 1,
        }

    def test_is_told_of_when_a_link_changes_it(
        self, lines: Lines, sent_mails: Mails
    ) -> None:
        user = UserFactory.create()
        *_, uid, token, _ = mailed_link(user, sent_mails).split("/")

        body = {"uid": uid, "token": token, "new_password": NEW}
        APIClient().post("/api/auth/password-reset/confirm", body)

        asked, changed = map(facts, lines())
        assert asked == {
            "message": "password_requested",
            "account": user.email,
            "user_id": user.pk,
        }
        assert changed["message"] == "password_changed"

    def test_is_told_of_when_a_stranger_asks_for_one(self, lines: Lines) -> None:
        body = {"email": "nobody@shop.test"}

        APIClient().post("/api/auth/password-reset", body)

        (line,) = map(facts, lines())
        assert line == {
            "message": "password_requested",
            "account": "nobody@shop.test",
        }

    def test_is_told_of_when_the_back_office_changes_it(
        self, lines: Lines, owner: User
    ) -> None:
        user, browser = UserFactory.create(), browser_of(owner)
        form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
        path = reverse("admin:auth_user_password_change", args=[user.pk])
        lines()

        browser.post(path, {**form, "password2": WRONG})
        browser.post(path, form)

        (line,) = map(facts, lines())
        assert line == {
            "message": "password_changed",
            "user_id": user.pk,
            "by_id": owner.pk,
            "sessions_ended": 0,
        }

    def test_a_wrong_current_password_is_logged(
        self, lines: Lines, owner: User, shop: APIClient
    ) -> None:
        lines()

        body = {"current_password": WRONG, "new_password": NEW}
        shop.post("/api/auth/password", body)

        (line,) = map(facts, lines())
        assert line == {"message": "password_refused", "user_id": owner.pk}


class TestRoles:
    @pytest.fixture
    def save(
        self,
        owner: User,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> Callable[..., None]:
        """Post a form as the owner, and let what it did be committed."""
        browser = browser_of(owner)

        def post(page: str, *args: object, **form: object) -> None:
            with django_capture_on_commit_callbacks(execute=True):
                answer = browser.post(reverse(f"admin:{page}", args=args), form)
            assert answer.status_code == 302

        return post

    @staticmethod
    def person(user: User, **rights: object) -> dict[str, object]:
        names = {"first_name": user.first_name, "last_name": user.last_name}
        return {"email": user.email, **names, "is_active": "on", **rights}

    def test_are_told_of_with_what_changed(
        self, lines: Lines, owner: User, save: Callable[..., None]
    ) -> None:
        user, manager = user_in(TECHNICIAN), Group.objects.get(name=MANAGER)
        right = Permission.objects.get(codename="view_part")
        rights = {"groups": [manager.pk], "user_permissions": [right.pk]}
        lines()

        save("accounts_user_change", user.pk, **self.person(user, **rights))

        (line,) = map(facts, lines())
        assert line == {
            "message": "roles_changed",
            "user_id": user.pk,
            "by_id": owner.pk,
            "before": {
                "is_staff": True,
                "groups": [TECHNICIAN],
                "user_permissions": [],
            },
            "after": {
                "is_staff": False,
                "groups": [MANAGER],
                "user_permissions": ["inventory.view_part"],
            },
        }

    def test_are_told_of_a_new_superuser_and_a_closed_login(
        self, lines: Lines, save: Callable[..., None]
    ) -> None:
        user = UserFactory.create()
        lines()

        save(
            "accounts_user_change",
            user.pk,
            **self.person(user, is_superuser="on", is_active=""),
        )

        (line,) = lines()
        assert line["after"] == {"is_active": False, "is_superuser": True}

    def test_are_not_told_of_a_new_name(
        self, lines: Lines, save: Callable[..., None]
    ) -> None:
        user = UserFactory.create()
        lines()

        form = {**self.person(user), "last_name": "Other"}
        save("accounts_user_change", user.pk, **form)

        user.refresh_from_db()
        assert user.last_name == "Other"
        assert lines() == []

    def test_are_told_of_a_new_login(
        self, lines: Lines, save: Callable[..., None]
    ) -> None:
        passwords = {"password1": NEW, "password2": NEW, "usable_password": "true"}
        names = {"first_name": "Ann", "last_name": "Lee"}
        lines()

        save("accounts_user_add", email="ann@shop.test", **names, **passwords)

        (line,) = lines()
        assert line["user_id"] == User.objects.get(email="ann@shop.test").pk
        assert line["before"]["is_active"] is None
        assert line["after"]["is_superuser"] is False

    def test_are_told_of_a_group(
        self, lines: Lines, owner: User, save: Callable[..., None]
    ) -> None:
        group = Group.objects.create(name="Owners")
        right = Permission.objects.get(codename="view_part")
        lines()

        form = {"name": "Owners", "permissions": [right.pk]}
        save("auth_group_change", group.pk, **form)
        save("auth_group_delete", group.pk, post="yes")

        given, taken = map(facts, lines())
        assert given == {
            "message": "roles_changed",
            "group_id": group.pk,
            "by_id": owner.pk,
            "before": {"permissions": []},
            "after": {"permissions": ["inventory.view_part"]},
        }
        assert taken["before"] == given["after"]
        assert taken["after"] == {"permissions": None}


class TestOddInput:
    def test_in_the_path_forges_no_line(self, lines: Lines) -> None:
        path = f"/account/password/{FORGED}/x/"

        Client(enforce_csrf_checks=True).post(quote(path))

        (line,) = lines()
        assert (line["message"], line["path"]) == ("denied", path)

    def test_in_the_path_is_cut_off(self, lines: Lines) -> None:
        Client(enforce_csrf_checks=True).post(f"/account/password/{'x' * 999}/x/")

        (line,) = lines()
        assert len(line["path"]) == 200

    @pytest.mark.parametrize("door", API_DOORS + FORMS)
    def test_in_the_account_forges_no_line(self, lines: Lines, door: str) -> None:
        accounts = [f"a@shop.test{FORGED}", f'"{ODD}"@shop.test', '"\x1b"@shop.test']

        for account in accounts:
            log_in(door, account, WRONG)

        assert {line["message"] for line in lines()} == {"login_failed"}

    def test_in_the_request_id_gets_the_request_another_one(self, lines: Lines) -> None:
        headers = {"X-Request-ID": FORGED}

        answer = Client(headers=headers).post("/admin/login/", {"username": "a"})
        refused = log_in(API_DOORS[0], "a@shop.test", WRONG, Client(headers=headers))

        (line,) = lines()
        assert "login_ok" not in answer["X-Request-ID"]
        assert line["request_id"] == refused["X-Request-ID"]
        assert len(line["request_id"]) == 32

"""The pages of users, and the command that creates the first one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, TECHNICIAN
from mechanic_shop.accounts.services import start_session
from tests.support.back_office import (
    browser_of,
    form_of,
    make_customer,
    make_ticket,
    make_user,
    page_of,
    post,
    text_of,
    url,
)

pytestmark = pytest.mark.django_db


class TestUserPage:
    @pytest.fixture
    def manager(self) -> User:
        user = make_user("mia", MANAGER)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="accounts")
        )
        return user

    def test_adds_a_login_by_email_address(self, desk: Client) -> None:
        form = {
            "email": " New@Shop.test ",
            "first_name": "New",
            "last_name": "Person",
            "usable_password": "true",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
        }

        post(desk, url(User, "add"), form)

        user = User.objects.get(email="new@shop.test")
        assert user.check_password("correct horse battery")

    def test_changes_a_password(self, desk: Client) -> None:
        user = make_user("tina")
        form = dict.fromkeys(("password1", "password2"), "another horse battery")

        post(
            desk,
            reverse("admin:auth_user_password_change", args=[user.pk]),
            {**form, "usable_password": "true"},
        )

        user.refresh_from_db()
        assert user.check_password("another horse battery")

    def test_lets_a_manager_give_a_role_and_no_more(self, manager: User) -> None:
        user, client = make_user("tina"), browser_of(manager)
        role = Group.objects.get(name=TECHNICIAN)
        form = form_of(client, page_of(user))
        assert "user_permissions" not in form

        powers = {"is_superuser": "on", "user_permissions": ["1"]}
        post(client, page_of(user), {**form, **powers, "groups": [role.pk]})

        user.refresh_from_db()
        assert list(user.groups.all()) == [role]
        assert not user.is_superuser
        assert not user.user_permissions.exists()

    def test_offers_a_manager_only_the_three_roles(self, manager: User) -> None:
        other, user = Group.objects.create(name="Owners"), make_user("tina")
        client = browser_of(manager)
        form = form_of(client, page_of(user))

        post(client, page_of(user), {**form, "groups": [other.pk]})

        assert not user.groups.exists()

    def test_keeps_a_manager_from_a_superusers_account(
        self, manager: User, boss: User
    ) -> None:
        client = browser_of(manager)

        assert client.post(page_of(boss), {"email": "x@y.test"}).status_code == 403
        assert client.post(page_of(boss, "delete"), {"post": "yes"}).status_code == 403
        data = {"action": "delete_selected", "_selected_action": boss.pk, "post": "yes"}
        assert client.post(url(User, "changelist"), data).status_code == 403
        assert User.objects.filter(pk=boss.pk).exists()

    def test_keeps_a_manager_from_passwords(self, manager: User) -> None:
        path = reverse("admin:auth_user_password_change", args=[make_user("t").pk])

        assert browser_of(manager).get(path).status_code == 403

    def test_does_not_part_a_customers_address_from_the_login(
        self, desk: Client
    ) -> None:
        login = make_user("ada", is_staff=False)
        make_customer(user=login, email=login.email)
        form = form_of(desk, page_of(login))

        post(desk, page_of(login), {**form, "email": "other@shop.test"})

        login.refresh_from_db()
        assert login.email == "ada@shop.test"

    def test_does_not_delete_a_user_who_has_history(
        self, boss: User, desk: Client
    ) -> None:
        user = make_user("tina")
        make_ticket(user)

        page = text_of(desk.post(page_of(user, "delete"), {"post": "yes"}))

        assert "Cannot delete" in page
        assert User.objects.filter(pk=user.pk).exists()

    def test_deletes_a_user_with_sessions(self, desk: Client) -> None:
        user = make_user("tina")
        start_session(user=user)

        post(desk, page_of(user, "delete"), {"post": "yes"})

        assert not User.objects.filter(pk=user.pk).exists()


class TestCreatesuperuser:
    def test_works_without_questions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")

        call_command(
            "createsuperuser",
            "--noinput",
            "--email=Root@Shop.test",
            "--first_name=Root",
            "--last_name=User",
            verbosity=0,
        )

        root = User.objects.get(email="root@shop.test")
        assert root.is_superuser
        assert browser_of(root).get("/admin/").status_code == 200

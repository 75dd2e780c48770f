"""Nobody takes over a colleague who may do more than they may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from customers.tests.factories import CustomerFactory
from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.services import report_new_email, start_session
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tests.support.back_office import (
    answer_dialog,
    browser_of,
    form_of,
    page_of,
    post,
    url,
)

pytestmark = pytest.mark.django_db


def give(user: User, codename: str) -> None:
    user.user_permissions.add(Permission.objects.get(codename=codename))


@pytest.fixture
def manager() -> User:
    user = user_in(MANAGER)
    give(user, "delete_user")
    return user


@pytest.fixture
def office(manager: User) -> Client:
    return browser_of(manager)


@pytest.fixture(params=["own permission", "group", "while it is closed"])
def bookkeeper(request: pytest.FixtureRequest) -> User:
    """Somebody who is no superuser, with a permission that managers lack."""
    user = UserFactory.create(email="books@shop.test", is_staff=True)
    group = Group.objects.create(name="Bookkeeping")
    group.permissions.add(Permission.objects.get(codename="change_group"))
    if request.param == "own permission":
        give(user, "change_group")
    else:
        user.groups.add(group)
    if request.param == "while it is closed":
        User.objects.filter(pk=user.pk).update(is_active=False)
    return user


class TestLoginWithMorePermissions:
    def test_manager_cannot_change_it(self, office: Client, bookkeeper: User) -> None:
        before = User.objects.filter(pk=bookkeeper.pk).values().get()
        form = {"email": "evil@shop.test", "first_name": "E", "last_name": "Vil"}

        assert office.post(page_of(bookkeeper), form).status_code == 403
        page = office.post(page_of(bookkeeper, "delete"), {"post": "yes"})
        assert page.status_code == 403

        assert User.objects.filter(pk=bookkeeper.pk).values().get() == before

    @pytest.mark.parametrize("name", ["mail_link", "deactivate", "reactivate"])
    def test_manager_cannot_push_its_buttons(
        self,
        name: str,
        office: Client,
        bookkeeper: User,
        sent_mails: Callable[[], list[EmailMessage]],
    ) -> None:
        before = User.objects.get(pk=bookkeeper.pk).is_active

        page, _ = answer_dialog(office, url(User, name, bookkeeper.pk))

        assert page.status_code == 403
        assert sent_mails() == []
        assert User.objects.get(pk=bookkeeper.pk).is_active == before

    def test_manager_cannot_delete_or_close_it_in_bulk(
        self, office: Client, bookkeeper: User
    ) -> None:
        before = User.objects.filter(pk=bookkeeper.pk).values().get()
        rows = {"_selected_action": bookkeeper.pk, "post": "yes", "confirmed": "yes"}

        for action in ("delete_selected", "deactivate_selected"):
            office.post(url(User, "changelist"), {"action": action, **rows})

        assert User.objects.filter(pk=bookkeeper.pk).values().get() == before

    def test_manager_cannot_close_it_as_a_mechanics(
        self, client_of: Callable[[User], APIClient], manager: User, bookkeeper: User
    ) -> None:
        mechanic = MechanicFactory.create(user=bookkeeper, is_active=True)
        User.objects.filter(pk=bookkeeper.pk).update(is_active=True)

        response = client_of(manager).patch(
            f"/api/mechanics/{mechanic.pk}", {"is_active": False}
        )

        assert response.json()["code"] == "login_out_of_reach"
        assert User.objects.get(pk=bookkeeper.pk).is_active

    def test_manager_cannot_move_it_as_a_customers(
        self, client_of: Callable[[User], APIClient], manager: User, bookkeeper: User
    ) -> None:
        customer = CustomerFactory.create(user=bookkeeper, email=bookkeeper.email)

        response = client_of(manager).patch(
            f"/api/customers/{customer.pk}", {"email": "evil@shop.test"}
        )

        assert response.json()["code"] == "staff_login"
        bookkeeper.refresh_from_db()
        assert bookkeeper.email == "books@shop.test"

    def test_owner_can_change_it(self, desk: Client, bookkeeper: User) -> None:
        form = form_of(desk, page_of(bookkeeper))

        post(desk, page_of(bookkeeper), {**form, "email": "new@shop.test"})

        bookkeeper.refresh_from_db()
        assert bookkeeper.email == "new@shop.test"


class TestRoleWithMorePermissions:
    """Somebody who looks after logins, and may do little else."""

    @pytest.fixture
    def clerk(self) -> User:
        user = user_in(TECHNICIAN)
        for codename in ("view_user", "change_user", "add_user", "change_mechanic"):
            give(user, codename)
        return user

    def test_nobody_gives_it_to_themselves(self, clerk: User) -> None:
        office = browser_of(clerk)
        form = form_of(office, page_of(clerk))
        roles = Group.objects.filter(name__in=[TECHNICIAN, MANAGER])

        office.post(page_of(clerk), {**form, "groups": [role.pk for role in roles]})

        assert [group.name for group in clerk.groups.all()] == [TECHNICIAN]

    def test_nobody_gives_it_to_a_mechanic(self, clerk: User) -> None:
        mechanic = MechanicFactory.create()
        advisor = Group.objects.get(name=SERVICE_ADVISOR)
        path = url(Mechanic, "give_login", mechanic.pk)

        _, page = answer_dialog(browser_of(clerk), path, group=advisor.pk)

        assert "You may not make somebody a Service advisor." in page

        mechanic.refresh_from_db()
        assert mechanic.user is None


class TestNewAddressOfStaff:
    def change(self, office: Client, user: User, email: str) -> Any:
        form = form_of(office, page_of(user))
        return post(office, page_of(user), {**form, "email": email})

    def test_sessions_end_and_the_old_address_is_told(
        self,
        office: Client,
        sent_mails: Callable[[], list[EmailMessage]],
    ) -> None:
        user = user_in(TECHNICIAN, email="old@shop.test")
        start_session(user=user)
        theirs = browser_of(user)

        self.change(office, user, "new@shop.test")

        assert not Session.objects.still_alive().exists()
        assert theirs.get("/admin/").status_code == 302
        assert office.get("/admin/").status_code == 200
        (mail,) = sent_mails()
        assert mail.to == ["old@shop.test"]
        assert "another email address" in mail.body

    @pytest.mark.django_db(transaction=True)
    def test_own_page_stays_open(self, office: Client, manager: User) -> None:
        elsewhere = browser_of(manager)

        self.change(office, manager, "new@shop.test")

        assert office.get("/admin/").status_code == 200
        assert elsewhere.get("/admin/").status_code == 302

    def test_no_session_of_anybody_is_read(self, manager: User) -> None:
        user = user_in(TECHNICIAN, email="old@shop.test")
        theirs = browser_of(user)

        with CaptureQueriesContext(connection) as queries:
            report_new_email(user=user, old_email="old@shop.test", by=manager)

        assert not any("django_session" in query["sql"] for query in queries)
        assert theirs.get("/admin/").status_code == 302

    def test_same_address_tells_nobody(
        self,
        office: Client,
        sent_mails: Callable[[], list[EmailMessage]],
    ) -> None:
        user = user_in(TECHNICIAN, email="old@shop.test")

        self.change(office, user, "Old@Shop.test")

        assert sent_mails() == []

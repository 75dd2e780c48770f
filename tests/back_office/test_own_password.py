"""The page on which people change their own password obeys the rules of the API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.accounts.services import start_session
from mechanic_shop.accounts.tests.factories import PASSWORD, user_in
from tests.support.back_office import browser_of

pytestmark = pytest.mark.django_db

NEW = "a-different-staple-horse"


@pytest.fixture
def clock() -> Iterator[None]:
    with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def user() -> User:
    return user_in(TECHNICIAN)


@pytest.fixture
def office(user: User) -> Client:
    return browser_of(user)


def change(office: Client, old: str = PASSWORD, new: str = NEW) -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return office.post(reverse("admin:password_change"), form)


class TestOwnPasswordPage:
    def test_api_sessions_end_and_this_one_goes_on(
        self, office: Client, user: User
    ) -> None:
        start_session(user=user)
        elsewhere = browser_of(user)

        assert change(office).status_code == 302

        user.refresh_from_db()
        assert user.check_password(NEW)
        assert not Session.objects.still_alive().exists()
        assert office.get("/admin/").status_code == 200
        assert elsewhere.get("/admin/").status_code == 302

    @pytest.mark.usefixtures("clock")
    def test_budget_is_shared_with_the_api(
        self, office: Client, user: User, settings: LazySettings
    ) -> None:
        settings.THROTTLES = {**settings.THROTTLES, "PASSWORD": (5, 60)}
        pages = [change(office, old="wrong").status_code for _ in range(5)]

        client = APIClient()
        client.force_authenticate(user)
        body = {"current_password": PASSWORD, "new_password": NEW}
        api = client.post("/api/auth/password", body)
        page = change(office)

        assert pages == [200] * 5
        assert (api.status_code, page.status_code) == (429, 429)
        assert page["Retry-After"] == "60"
        user.refresh_from_db()
        assert user.check_password(PASSWORD)

    def test_failure_and_success_are_logged(
        self, office: Client, user: User, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "security")
        caplog.clear()

        change(office, old="wrong")
        change(office)

        logged = [
            (record.message, vars(record)["user_id"])
            for record in caplog.records
            if record.name == "security"
        ]
        assert logged == [("password_refused", user.pk), ("password_changed", user.pk)]

    def test_looks_like_the_sites_own_page(self, office: Client) -> None:
        page = office.get(reverse("admin:password_change")).content.decode()

        assert "old_password" in page
        assert reverse("admin:logout") in page

    def test_strangers_are_sent_to_the_login(self) -> None:
        assert change(Client()).status_code == 302

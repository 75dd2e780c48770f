"""What the scripts of a page learn about the session before they send a form."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from mechanic_shop.accounts.models import User
from tests.support.back_office import browser_of, make_user, text_of

pytestmark = pytest.mark.django_db

PATH = "/admin/session/"
PASSWORD = "correct horse battery"


class TestSessionState:
    def test_names_the_user_of_the_back_office(self, boss: User, desk: Client) -> None:
        state = desk.get(PATH).json()

        assert (state["user_id"], state["login"]) == (boss.pk, boss.email)

    def test_names_nobody_without_a_session(self, client: Client) -> None:
        response = client.get(PATH)

        state = response.json()
        assert response.status_code == 200
        assert (state["user_id"], state["login"]) == (None, None)
        assert "no-store" in response["Cache-Control"]

    def test_names_no_customer(self) -> None:
        customer = browser_of(make_user("ada", is_staff=False))

        assert customer.get(PATH).json()["user_id"] is None

    def test_is_only_read(self, desk: Client) -> None:
        assert desk.post(PATH).status_code == 405

    def test_gives_a_token_that_signs_in_and_saves(self, boss: User) -> None:
        browser = Client(enforce_csrf_checks=True)
        token = browser.get(PATH).json()["csrf_token"]
        body = {"username": boss.email, "password": PASSWORD, "next": PATH}

        response = browser.post(
            reverse("admin:login"), {**body, "csrfmiddlewaretoken": token}, follow=True
        )

        state = response.json()
        logout = {"csrfmiddlewaretoken": state["csrf_token"]}
        assert state["user_id"] == boss.pk
        assert browser.post(reverse("admin:logout"), logout).status_code == 200

    def test_is_known_to_every_page(self, boss: User, desk: Client) -> None:
        page = text_of(desk.get("/admin/"))

        assert f'data-user-id="{boss.pk}"' in page
        assert f'data-state-url="{PATH}"' in page

    def test_is_unknown_to_the_login_page(self, client: Client) -> None:
        assert "shop-session" not in text_of(client.get(reverse("admin:login")))

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.response import Response
from rest_framework.test import APIClient

from customers.models import Customer
from customers.services import invite_customer
from customers.tests.factories import CustomerFactory
from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

ADDRESS = "jordan@example.com"
BODY = {
    "first_name": "Jordan",
    "last_name": "Rivera",
    "email": ADDRESS,
    "phone": "+1 (555) 010-0199 ext. 4",
    "password": PASSWORD,
}
REQUIRED = sorted(BODY)


def register(**changes: Any) -> Response:
    return APIClient().post("/api/auth/register", {**BODY, **changes})


def log_in(email: str = ADDRESS, password: str = PASSWORD) -> Response:
    body = {"email": email, "password": password}
    return APIClient().post("/api/auth/login", body)


class TestRegister:
    def test_creates_a_customer_with_a_login_and_signs_them_in(self) -> None:
        answer = register(address="1 Elm St", city="Reno", state="NV", postal_code="89")

        customer = Customer.objects.get()
        assert answer.status_code == 201
        assert answer.data.keys() == {
            "message",
            "access_token",
            "refresh_token",
            "customer",
            "user",
        }
        assert answer.data["customer"]["customer_id"] == customer.pk
        assert answer.data["customer"]["city"] == "Reno"
        assert answer.data["user"] == {
            "user_id": customer.user_id,
            "email": ADDRESS,
            "first_name": "Jordan",
            "last_name": "Rivera",
            "role": "customer",
            "is_staff": False,
        }
        assert log_in().status_code == 200

    def test_answers_tokens_of_a_session_that_name_the_customer(self) -> None:
        answer = register()

        key = settings.SIMPLE_JWT["SIGNING_KEY"]
        for name in ("access_token", "refresh_token"):
            claims = jwt.decode(answer.data[name], key, algorithms=["HS256"])
            assert claims["customer_id"] == Customer.objects.get().pk
            assert claims["role"] == "customer"
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.data['access_token']}")
        assert client.get("/api/auth/me").status_code == 200

    def test_keeps_the_email_in_one_spelling_and_trims_the_rest(self) -> None:
        assert register(email="  Jordan@EXAMPLE.com ", city=" Reno ").status_code == 201

        customer = Customer.objects.get()
        assert customer.email == User.objects.get().email == ADDRESS
        assert customer.city == "Reno"

    def test_stores_a_password_as_it_was_typed_and_never_in_the_clear(self) -> None:
        assert register(password="  padded horse  ").status_code == 201

        assert log_in(password="  padded horse  ").status_code == 200
        assert log_in(password="padded horse").status_code == 401
        assert "padded" not in User.objects.get().password

    @pytest.mark.parametrize("name", REQUIRED)
    def test_names_a_missing_field(self, name: str) -> None:
        body = {key: value for key, value in BODY.items() if key != name}

        answer = APIClient().post("/api/auth/register", body)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {name}
        assert not User.objects.exists()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("first_name", " "),
            ("last_name", "x" * 256),
            ("email", None),
            ("email", ""),
            ("email", "jordan"),
            ("email", "jördan@example.com"),
            ("email", "jordan@exämple.com"),
            ("email", f"{'x' * 250}@example.com"),
            ("phone", "5" * 51),
            ("password", "short-7"),
            ("password", "password123"),
            ("password", "8402957103"),
            ("password", "jordan@example"),
            ("password", "mn" * 64 + "m"),
            ("password", None),
            ("is_staff", True),
            ("customer_id", 1),
            ("role", "manager"),
        ],
    )
    def test_refuses_a_bad_value_and_stores_nothing(
        self, name: str, value: object
    ) -> None:
        answer = register(**{name: value})

        assert answer.status_code == 400
        assert answer.data["code"] == "invalid"
        assert answer.data["fields"].keys() == {name}
        assert not User.objects.exists()
        assert not Customer.objects.exists()

    @pytest.mark.parametrize("typed", [ADDRESS, "JORDAN@Example.com"])
    def test_refuses_the_address_of_another_customer(
        self, typed: str, sent_mails: Callable[[], list[EmailMessage]]
    ) -> None:
        CustomerFactory.create(email=ADDRESS)

        answer = register(email=typed)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"email"}
        assert Customer.objects.count() == User.objects.count() == 1
        assert sent_mails() == []

    def test_refuses_the_address_of_a_staff_login(self) -> None:
        UserFactory.create(email=ADDRESS, is_staff=True)

        assert register().status_code == 400

        assert not Customer.objects.exists()
        assert not Session.objects.exists()

    def test_minds_no_dead_token_in_the_header(self) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION="Bearer expired-long-ago")

        assert client.post("/api/auth/register/", BODY).status_code == 201

    @pytest.mark.parametrize("is_walk_in", [True, False])
    def test_leaves_it_to_the_worker_whose_address_it_is(
        self, is_walk_in: bool, mailoutbox: list[EmailMessage]
    ) -> None:
        CustomerFactory.create(email=ADDRESS, walk_in=is_walk_in)

        with CaptureQueriesContext(connection) as queries:
            register()

        # What came before is the attempt to create the customer, which is rolled back.
        assert "core_queuedtask" in queries[-1]["sql"]
        assert "core_queuedtask" not in queries[-2]["sql"]
        assert mailoutbox == []


@pytest.fixture
def walk_in() -> Customer:
    return CustomerFactory.create(walk_in=True, email=ADDRESS, first_name="Jo")


class TestRegisterAsWalkIn:
    """Somebody registers with the address of a customer whom the shop entered."""

    def test_answers_like_any_taken_address(self, walk_in: Customer) -> None:
        CustomerFactory.create(email="taken@example.com")

        answer, taken = register(), register(email="taken@example.com")

        for response in (answer, taken):
            response.data.pop("request_id")
        assert answer.status_code == taken.status_code == 400
        assert answer.data == taken.data

    def test_gives_the_stranger_nothing(self, walk_in: Customer) -> None:
        register(first_name="Mallory")

        walk_in.refresh_from_db()
        assert walk_in.first_name == "Jo"
        assert log_in().status_code == 401
        assert Customer.objects.count() == 1
        assert not Session.objects.exists()

    @pytest.mark.parametrize("way", ["register", "invite", "password-reset"])
    def test_joins_login_and_record_by_the_mailed_link_alone(
        self,
        walk_in: Customer,
        way: str,
        sent_mails: Callable[[], list[EmailMessage]],
    ) -> None:
        ask_for_link(way, walk_in)

        (mail,) = sent_mails()
        assert log_in(password="chosen-by-the-owner").status_code == 401
        assert mail.to == [ADDRESS]
        open_link(mail, password="chosen-by-the-owner")

        answer = log_in(password="chosen-by-the-owner")
        assert answer.status_code == 200
        assert answer.data["customer"]["customer_id"] == walk_in.pk


def ask_for_link(way: str, walk_in: Customer) -> None:
    match way:
        case "register":
            register()
        case "invite":
            invite_customer(customer=walk_in)
        case _:
            APIClient().post("/api/auth/password-reset", {"email": ADDRESS})


def open_link(mail: EmailMessage, *, password: str) -> None:
    found = re.search(r"/account/password/([^/\s]+)/([^/\s]+)/", str(mail.body))
    assert found is not None
    body = {"uid": found[1], "token": found[2], "new_password": password}
    answer = APIClient().post("/api/auth/password-reset/confirm", body)
    assert answer.status_code == 204

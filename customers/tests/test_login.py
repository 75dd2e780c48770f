from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from rest_framework.response import Response
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory
from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.tests.factories import PASSWORD, UserFactory, user_in
from mechanics.tests.factories import MechanicFactory

pytestmark = pytest.mark.django_db

ADDRESS = "jordan@example.com"
PATHS = ["/api/auth/login", "/api/auth/login/", "/api/customers/login"]


@pytest.fixture
def customer() -> Customer:
    return CustomerFactory.create(email=ADDRESS)


def log_in(
    email: str = ADDRESS, password: str = PASSWORD, path: str = PATHS[0]
) -> Response:
    return APIClient().post(path, {"email": email, "password": password})


class TestLogin:
    @pytest.mark.parametrize("path", PATHS)
    def test_answers_tokens_customer_and_user(
        self, path: str, customer: Customer
    ) -> None:
        answer = log_in(path=path)

        assert answer.status_code == 200
        assert answer.data["customer"]["customer_id"] == customer.pk
        assert answer.data["customer"]["phone"] == customer.phone
        assert answer.data["user"]["email"] == ADDRESS
        assert answer.data["user"]["role"] == "customer"
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.data['access_token']}")
        assert client.get("/api/auth/me").data["customer_id"] == customer.pk

    def test_answers_the_access_token_as_token_on_system_bs_path_only(
        self, customer: Customer
    ) -> None:
        b, a = log_in(path="/api/customers/login"), log_in(path="/api/auth/login")

        assert b.data["token"] == b.data["access_token"]
        assert "token" not in a.data

    def test_answers_no_customer_for_staff(self) -> None:
        user = user_in(SERVICE_ADVISOR)

        answer = log_in(user.email)

        assert answer.data["customer"] is None
        assert answer.data["user"] == {
            "user_id": user.pk,
            "email": user.email,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "role": "service_advisor",
            "is_staff": True,
        }

    def test_takes_any_spelling_of_the_email(self, customer: Customer) -> None:
        assert log_in("  Jordan@EXAMPLE.com ").status_code == 200

    def test_minds_no_dead_token_in_the_header(self, customer: Customer) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION="Bearer expired-long-ago")

        answer = client.post(PATHS[0], {"email": ADDRESS, "password": PASSWORD})

        assert answer.status_code == 200

    def test_starts_a_session_each_time(self, customer: Customer) -> None:
        tokens = {log_in().data["refresh_token"] for _ in range(2)}

        assert len(tokens) == 2
        assert Session.objects.still_alive().count() == 2

    @pytest.mark.parametrize("path", PATHS)
    def test_gives_wrong_password_unknown_and_inactive_login_one_answer(
        self, path: str, customer: Customer
    ) -> None:
        UserFactory.create(email="gone@example.com", is_active=False)

        refusals = [
            log_in(password="wrong-horse-battery", path=path),
            log_in("nobody@example.com", path=path),
            log_in("gone@example.com", path=path),
            log_in("no address at all", path=path),
        ]

        assert [refusal.status_code for refusal in refusals] == [401] * 4
        assert refusals[0].data["error"] == "401 Unauthorized"
        assert "WWW-Authenticate" in refusals[0].headers
        for refusal in refusals:
            refusal.data.pop("request_id")
        assert all(refusal.data == refusals[0].data for refusal in refusals)
        assert not Session.objects.exists()

    def test_hashes_once_whatever_is_wrong(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        UserFactory.create(email="gone@example.com", is_active=False)
        User.objects.create_user("invited@example.com")
        hashes: list[str] = []
        encode = MD5PasswordHasher.encode

        def spy(self: MD5PasswordHasher, password: str, salt: str) -> str:
            hashes.append(address)
            return encode(self, password, salt)

        monkeypatch.setattr(MD5PasswordHasher, "encode", spy)
        tries = [ADDRESS, "nobody@example.com", "gone@example.com"]
        tries.append("invited@example.com")

        for address in tries:
            log_in(address, "wrong-horse-battery")

        assert hashes == tries

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ({}, {"email", "password"}),
            ({"email": ADDRESS}, {"password"}),
            ({"email": ADDRESS, "password": ""}, {"password"}),
            ({"email": ADDRESS, "password": "x" * 129}, {"password"}),
            ({"email": ADDRESS, "password": PASSWORD, "remember": 1}, {"remember"}),
        ],
    )
    def test_names_what_is_missing_or_unknown(
        self, body: dict[str, object], fields: set[str]
    ) -> None:
        answer = APIClient().post(PATHS[0], body)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == fields


class TestMe:
    def test_shows_a_customer_their_record_and_their_login(
        self, customer: Customer, client_of: Callable[[User], APIClient]
    ) -> None:
        assert customer.user is not None

        me = client_of(customer.user).get("/api/auth/me").data

        assert me["customer_id"] == customer.pk
        assert me["email"] == ADDRESS
        assert me["phone"] == customer.phone
        assert me["postal_code"] == ""
        assert (me["first_name"], me["last_name"]) == ("Casey", customer.last_name)
        assert (me["role"], me["is_staff"]) == ("customer", False)
        assert me["mechanic_id"] is None

    @pytest.mark.parametrize(
        ("make", "role"),
        [
            (lambda: user_in(MANAGER), "manager"),
            (lambda: UserFactory.create(superuser=True), "manager"),
            (lambda: UserFactory.create(is_staff=True), "staff"),
        ],
        ids=["manager", "superuser", "no group"],
    )
    def test_shows_staff_their_login(
        self,
        make: Callable[[], User],
        role: str,
        client_of: Callable[[User], APIClient],
    ) -> None:
        user = make()

        me = client_of(user).get("/api/auth/me").data

        assert me["customer_id"] is None
        assert me["mechanic_id"] is None
        assert (me["email"], me["last_name"]) == (user.email, user.last_name)
        assert (me["role"], me["is_staff"]) == (role, True)

    def test_names_the_mechanic_that_the_login_is_linked_to(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        user = user_in(TECHNICIAN)
        mechanic = MechanicFactory.create(user=user)

        me = client_of(user).get("/api/auth/me").data

        assert (me["mechanic_id"], me["role"]) == (mechanic.pk, "technician")

    def test_asks_for_a_token(self, anonymous: APIClient) -> None:
        answer = anonymous.get("/api/auth/me")

        assert answer.status_code == 401
        assert answer.data["code"] == "not_authenticated"

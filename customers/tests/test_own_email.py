"""A customer's own email address opens the login, so a change of it is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR
from mechanic_shop.accounts.tests.factories import PASSWORD, user_in

pytestmark = pytest.mark.django_db

NEW = "new@example.com"
OPEN_ACCESS = "mechanic_shop.accounts.backends.OpenAccessBackend"

Mails = Callable[[], list[EmailMessage]]


@pytest.fixture
def customer() -> Customer:
    return CustomerFactory.create(email="old@example.com")


@pytest.fixture
def own(customer: Customer, client_of: Callable[[User], APIClient]) -> APIClient:
    assert customer.user is not None
    return client_of(customer.user)


@pytest.fixture
def clock() -> Iterator[None]:
    with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC), tick=False):
        yield


def change(client: APIClient, customer: Customer, key: str = "", **body: Any) -> Any:
    path = f"/api/customers/{customer.pk}"
    headers = {"Idempotency-Key": key} if key else None
    return client.patch(path, {"email": NEW, **body}, headers=headers)


def emails_of(customer: Customer) -> set[str | None]:
    customer.refresh_from_db()
    assert customer.user is not None
    return {customer.email, customer.user.email}


class TestOwnEmail:
    @pytest.mark.parametrize("password", [None, "wrong-horse-battery"])
    def test_change_needs_the_password(
        self,
        own: APIClient,
        customer: Customer,
        password: str | None,
        sent_mails: Mails,
    ) -> None:
        body = {} if password is None else {"current_password": password}

        response = change(own, customer, **body)

        assert response.status_code == 400
        assert response.data["fields"].keys() == {"current_password"}
        assert emails_of(customer) == {"old@example.com"}
        assert sent_mails() == []

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_change_with_the_password_is_told_the_old_address(
        self, own: APIClient, customer: Customer, method: str, sent_mails: Mails
    ) -> None:
        body = {"email": NEW, "current_password": PASSWORD}

        response = getattr(own, method)(f"/api/customers/{customer.pk}", body)

        assert response.status_code == 200
        assert response.data["email"] == NEW
        assert "current_password" not in response.data
        assert emails_of(customer) == {NEW}
        assert [mail.to for mail in sent_mails()] == [["old@example.com"]]

    @pytest.mark.parametrize("email", ["old@example.com", " OLD@example.com"])
    def test_same_address_and_other_fields_need_none(
        self, own: APIClient, customer: Customer, email: str, sent_mails: Mails
    ) -> None:
        response = change(own, customer, email=email, phone="555-0177")

        assert response.status_code == 200
        assert response.data["phone"] == "555-0177"
        assert sent_mails() == []

    def test_staff_need_none_for_a_customers(
        self,
        client_of: Callable[[User], APIClient],
        customer: Customer,
        sent_mails: Mails,
    ) -> None:
        response = change(client_of(user_in(SERVICE_ADVISOR)), customer)

        assert response.status_code == 200
        assert [mail.to for mail in sent_mails()] == [["old@example.com"]]

    def test_open_access_needs_none(
        self, own: APIClient, customer: Customer, settings: LazySettings
    ) -> None:
        settings.SHOP_OPEN_ACCESS = True
        backends = [*settings.AUTHENTICATION_BACKENDS, OPEN_ACCESS]
        settings.AUTHENTICATION_BACKENDS = backends

        assert change(own, customer).status_code == 200

        assert emails_of(customer) == {NEW}

    @pytest.mark.usefixtures("clock")
    def test_guesses_of_the_password_are_limited(
        self, own: APIClient, customer: Customer, settings: LazySettings
    ) -> None:
        settings.THROTTLES = {**settings.THROTTLES, "PASSWORD": (5, 60)}
        guesses = [
            change(own, customer, current_password="wrong").status_code
            for _ in range(5)
        ]

        right = change(own, customer, current_password=PASSWORD)
        other = change(own, customer, email="old@example.com", city="Elko")

        assert guesses == [400] * 5
        assert right.status_code == 429
        assert other.status_code == 200

    @pytest.mark.usefixtures("clock")
    @pytest.mark.parametrize("key", ["the-same", "{}"])
    def test_idempotency_key_lifts_no_limit_on_guesses(
        self, own: APIClient, customer: Customer, settings: LazySettings, key: str
    ) -> None:
        settings.THROTTLES = {**settings.THROTTLES, "PASSWORD": (5, 60)}
        tries = ["wrong"] * 6 + [PASSWORD]

        answers = [
            change(
                own,
                customer,
                current_password=password,
                key=key.format(number),
            )
            for number, password in enumerate(tries)
        ]

        assert [answer.status_code for answer in answers] == [400] * 5 + [429] * 2
        assert answers[5].data["message"] == answers[6].data["message"]
        assert emails_of(customer) == {"old@example.com"}


class TestMailsToAnAddress:
    def test_name_does_not_come_along(
        self, anonymous: APIClient, sent_mails: Mails
    ) -> None:
        CustomerFactory.create(
            walk_in=True, first_name="Win at casino.example", email="x@example.com"
        )

        anonymous.post("/api/auth/password-reset", {"email": "x@example.com"})

        (mail,) = sent_mails()
        assert "casino" not in f"{mail.subject}{mail.body}"

    def test_five_links_an_hour_and_no_more(
        self, anonymous: APIClient, customer: Customer, sent_mails: Mails
    ) -> None:
        body = {"email": customer.email}
        noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
        numbers = []

        for minutes in (0, 1, 2, 3, 4, 5, 6, 59, 66):
            moment = noon + timedelta(minutes=minutes)
            with time_machine.travel(moment, tick=False):
                anonymous.post("/api/auth/password-reset", body)
                numbers.append(len(sent_mails()))

        assert numbers == [1, 2, 3, 4, 5, 5, 5, 5, 6]

    def test_five_notes_of_a_change_an_hour_and_no_more(
        self, owner: User, client_of: Callable[[User], APIClient], sent_mails: Mails
    ) -> None:
        client, stranger = client_of(owner), "stranger@example.com"
        for number in range(7):
            customer = CustomerFactory.create(email=stranger)
            change(client, customer, email=f"{number}@example.com")
            recipients = [mail.to for mail in sent_mails()]

        assert recipients == [[stranger]] * 5

    def test_links_keep_no_note_of_a_change_away(
        self,
        own: APIClient,
        anonymous: APIClient,
        customer: Customer,
        sent_mails: Mails,
    ) -> None:
        body = {"email": customer.email}
        for _ in range(6):
            anonymous.post("/api/auth/password-reset", body)
            sent_mails()

        change(own, customer, current_password=PASSWORD)

        assert len(sent_mails()) == 6
        assert "was changed" in sent_mails()[-1].subject

    def test_known_and_unknown_addresses_cost_the_same(
        self, anonymous: APIClient, customer: Customer
    ) -> None:
        CustomerFactory.create(walk_in=True, email="walk-in@example.com")
        addresses = ["old@example.com", "walk-in@example.com", "nobody@example.com"]

        counts = {count_of_reset(anonymous, email) for email in addresses}

        assert max(counts) - min(counts) <= 1

    def test_registering_a_taken_address_costs_the_same(
        self, anonymous: APIClient, customer: Customer
    ) -> None:
        CustomerFactory.create(walk_in=True, email="walk-in@example.com")
        addresses = ["old@example.com", "walk-in@example.com"]

        counts = {count_of_register(anonymous, email) for email in addresses}

        assert max(counts) - min(counts) <= 1


def count_of_reset(client: APIClient, email: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        response = client.post("/api/auth/password-reset", {"email": email})
    assert response.status_code == 200
    return len(queries)


def count_of_register(client: APIClient, email: str) -> int:
    body = {"first_name": "A", "last_name": "B", "phone": "1", "password": PASSWORD}
    with CaptureQueriesContext(connection) as queries:
        response = client.post("/api/auth/register", {**body, "email": email})
    assert response.status_code == 400
    return len(queries)

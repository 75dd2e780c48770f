from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from rest_framework.test import APIClient

from customers.services import delete_customer, invite_customer, update_customer
from customers.tests.factories import CustomerFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR
from mechanic_shop.accounts.tests.factories import PASSWORD, user_in
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


class TestLoginOfAColleague:
    @pytest.mark.parametrize("is_staff", [True, False])
    def test_cannot_be_taken_over_through_the_customers_record(
        self, client_of: Callable[[User], APIClient], is_staff: bool
    ) -> None:
        manager = user_in(MANAGER)
        User.objects.filter(pk=manager.pk).update(is_staff=is_staff)
        customer = CustomerFactory.create(user=manager, email=manager.email)

        answer = client_of(user_in(SERVICE_ADVISOR)).patch(
            f"/api/customers/{customer.pk}", {"email": "evil@example.com"}
        )

        assert answer.status_code == 409
        assert answer.json()["code"] == "staff_login"
        manager.refresh_from_db()
        assert manager.email != "evil@example.com"

    def test_may_be_readdressed_by_its_owner(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        manager = user_in(MANAGER)
        customer = CustomerFactory.create(user=manager, email=manager.email)

        client_of(manager).patch(
            f"/api/customers/{customer.pk}",
            {"email": "new@example.com", "current_password": PASSWORD},
        )

        manager.refresh_from_db()
        assert manager.email == "new@example.com"

    def test_survives_the_customers_record(self) -> None:
        manager = user_in(MANAGER)
        customer = CustomerFactory.create(user=manager, email=manager.email)

        delete_customer(customer=customer)

        assert User.objects.filter(pk=manager.pk, is_active=True).exists()


class TestOneAddress:
    def test_follows_the_login_however_it_is_changed(self) -> None:
        customer = CustomerFactory.create()
        assert customer.user is not None

        customer.user.email = "Moved@Example.com"
        customer.user.save()

        customer.refresh_from_db()
        assert customer.email == "moved@example.com"


class TestInvitation:
    def test_is_taken_back_with_the_email(self, owner: User) -> None:
        customer = CustomerFactory.create(walk_in=True)
        invited = invite_customer(customer=customer)

        customer = update_customer(customer=customer, by=owner, email=None)

        assert customer.email is None
        assert not User.objects.filter(pk=invited.pk).exists()

    def test_is_mailed_again_to_whoever_registers(
        self,
        anonymous: APIClient,
        sent_mails: Callable[[], list[object]],
    ) -> None:
        customer = CustomerFactory.create(walk_in=True)
        body = {
            "first_name": "Wanda",
            "last_name": "Walk",
            "phone": "1",
            "email": customer.email,
            "password": "correct-horse-battery",
        }

        for _ in range(2):
            answer = anonymous.post("/api/auth/register", body)
            assert answer.status_code == 400

        assert len(sent_mails()) == 2


class TestErasing:
    def test_reaches_the_log_of_the_back_office(self, owner: User) -> None:
        ticket = TicketFactory.create(closed=True)
        customer = ticket.customer
        LogEntry.objects.log_actions(
            owner.pk, [customer], CHANGE, change_message="name", single_object=True
        )

        delete_customer(customer=customer)

        assert LogEntry.objects.get().object_repr == "(erased)"
        assert not User.objects.filter(email__startswith="customer").exists()

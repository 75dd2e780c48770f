"""A finished vehicle is ready until its customer fetches it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from tickets import backfill
from tickets.models import ServiceTicket
from tickets.services import NotReady, hand_over, move_ticket
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ready() -> ServiceTicket:
    return TicketFactory.create(closed=True)


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(ticket: ServiceTicket) -> str:
    return reverse("admin:tickets_serviceticket_change", args=[ticket.pk])


def press(client: Client, ticket: ServiceTicket) -> int:
    name = "admin:tickets_serviceticket_hand_over_ticket"
    path = reverse(name, args=[ticket.pk])
    return client.post(path, {"_form_submitted": "True"}).status_code


class TestHandOver:
    def test_completed_ticket_is_ready_until_handed_over(
        self, ready: ServiceTicket, owner: User
    ) -> None:
        assert [*ServiceTicket.objects.ready()] == [ready]

        ticket = hand_over(ticket=ready, by=owner)

        assert ticket.handed_over_at is not None
        assert not ServiceTicket.objects.ready().exists()
        event = ticket.events.get()
        assert (event.kind, event.by) == ("handed_over", owner)
        assert not event.visible_to_customer

    def test_second_hand_over_is_refused(
        self, ready: ServiceTicket, owner: User
    ) -> None:
        first = hand_over(ticket=ready, by=owner)

        with pytest.raises(NotReady, match="already"):
            hand_over(ticket=ready, by=owner)

        ready.refresh_from_db()
        assert ready.handed_over_at == first.handed_over_at

    @pytest.mark.parametrize("status", ["open", "in_progress", "waiting", "cancelled"])
    def test_unfinished_ticket_cannot_be_handed_over(
        self, owner: User, status: str
    ) -> None:
        closed_at = timezone.now() if status == "cancelled" else None
        ticket = TicketFactory.create(status=status, closed_at=closed_at)

        with pytest.raises(NotReady):
            hand_over(ticket=ticket, by=owner)

    def test_reopened_ticket_is_in_the_shop_again(
        self, ready: ServiceTicket, owner: User
    ) -> None:
        hand_over(ticket=ready, by=owner)

        move_ticket(ticket=ready, status="in_progress", by=owner)
        move_ticket(ticket=ready, status="completed", by=owner)

        ready.refresh_from_db()
        assert ready.handed_over_at is None
        assert ready.is_ready


class TestTicketPage:
    def test_button_hands_the_vehicle_over(self, ready: ServiceTicket) -> None:
        client = browser_of(user_in(TECHNICIAN))
        before = client.get(page_of(ready)).content.decode()

        status = press(client, ready)

        assert status == 302
        after = client.get(page_of(ready)).content.decode()
        assert "Hand over" in before
        assert "Hand over" not in after
        assert "Handed over" in after
        assert "handed the vehicle over" in after

    def test_button_needs_the_permission_to_work(self, ready: ServiceTicket) -> None:
        reader = UserFactory.create(is_staff=True)
        reader.user_permissions.add(
            Permission.objects.get(codename="view_serviceticket")
        )

        press(browser_of(reader), ready)

        ready.refresh_from_db()
        assert ready.handed_over_at is None


class TestUpdate:
    def test_tickets_completed_before_count_as_handed_over(self) -> None:
        yesterday = timezone.now() - timedelta(days=1)
        done = TicketFactory.create(closed=True, closed_at=yesterday)
        opened = TicketFactory.create()

        assert backfill.hand_over_completed_tickets(apps) == 1

        done.refresh_from_db()
        opened.refresh_from_db()
        assert (done.handed_over_at, opened.handed_over_at) == (yesterday, None)

    def test_ticket_reopened_by_the_previous_release_is_taken_back(
        self, ready: ServiceTicket, owner: User
    ) -> None:
        hand_over(ticket=ready, by=owner)
        ServiceTicket.objects.update(status="in_progress", closed_at=None)

        call_command("refresh_copies", verbosity=0)

        ready.refresh_from_db()
        assert ready.handed_over_at is None


class TestIndex:
    def test_ready_tickets_are_read_in_the_order_of_an_index(
        self, ready: ServiceTicket
    ) -> None:
        rows = ServiceTicket.objects.ready().order_by("-closed_at", "-pk")

        with CaptureQueriesContext(connection):
            plan = rows.explain()

        assert "ticket_ready_newest" in plan
        assert "TEMP B-TREE" not in plan

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from customers.services import OwnerChanged, change_owner
from customers.tests.factories import CustomerFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from tickets.models import ServiceTicket, TicketEvent
from tickets.services import (
    IllegalMove,
    install_part,
    move_ticket,
    remove_part,
    update_ticket,
)
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

Status = ServiceTicket.Status

ALLOWED = {
    ("open", "in_progress"),
    ("open", "waiting"),
    ("open", "cancelled"),
    ("in_progress", "waiting"),
    ("waiting", "in_progress"),
    ("in_progress", "completed"),
    ("waiting", "completed"),
    ("in_progress", "cancelled"),
    ("waiting", "cancelled"),
    ("completed", "in_progress"),
}
REFUSED = {
    (before, after)
    for before in Status.values
    for after in Status.values
    if before != after
} - ALLOWED


def ticket_that_is(status: str) -> ServiceTicket:
    closed = status in ServiceTicket.CLOSED
    return TicketFactory.create(closed=closed, status=status)


class TestMoveTicket:
    @pytest.mark.parametrize(("before", "after"), sorted(ALLOWED))
    def test_goes_where_it_may(self, owner: User, before: str, after: str) -> None:
        ticket = ticket_that_is(before)

        moved = move_ticket(ticket=ticket, status=after, by=owner)

        moved.refresh_from_db()
        assert moved.status == after
        assert (moved.closed_at is not None) == (after in ServiceTicket.CLOSED)
        event = moved.events.get()
        assert event.detail == {"from": before, "to": after}
        assert event.by == owner
        assert event.visible_to_customer

    @pytest.mark.parametrize(("before", "after"), sorted(REFUSED))
    def test_goes_nowhere_else(self, owner: User, before: str, after: str) -> None:
        ticket = ticket_that_is(before)

        with pytest.raises(IllegalMove) as refusal:
            move_ticket(ticket=ticket, status=after, by=owner)

        assert set(refusal.value.extra["allowed"]) == {
            to for origin, to in ALLOWED if origin == before
        }
        assert not ticket.events.exists()

    @pytest.mark.parametrize("status", Status.values)
    def test_is_no_move_to_stay(self, owner: User, status: str) -> None:
        ticket = ticket_that_is(status)

        move_ticket(ticket=ticket, status=status, by=owner)

        assert not ticket.events.exists()

    def test_tells_the_api_what_is_allowed(self, shop: APIClient) -> None:
        ticket = TicketFactory.create()

        answer = shop.put(f"/api/service-tickets/{ticket.pk}", {"status": "completed"})

        assert answer.status_code == 409
        assert answer.json()["code"] == "illegal_move"
        assert answer.json()["allowed"] == ["in_progress", "waiting", "cancelled"]

    def test_does_not_reopen_a_car_that_was_sold(self, owner: User) -> None:
        ticket = TicketFactory.create(closed=True)
        change_owner(vehicle=ticket.vehicle, customer=CustomerFactory.create())

        with pytest.raises(OwnerChanged):
            move_ticket(ticket=ticket, status=Status.IN_PROGRESS, by=owner)


class TestCancelTicket:
    def test_returns_every_part_once_and_keeps_the_lines(self, owner: User) -> None:
        ticket = TicketFactory.create()
        parts = [PartFactory.create(quantity_in_stock=10) for _ in range(2)]
        for part in parts:
            install_part(ticket=ticket, part=part, quantity_used=3, by=owner)

        move_ticket(ticket=ticket, status=Status.CANCELLED, by=owner)

        ticket.refresh_from_db()
        for line in ticket.ticket_parts.all():
            assert line.returned_at == ticket.closed_at
            assert line.part.quantity_in_stock == 10
        returned = ticket.events.filter(kind=TicketEvent.Kind.PART_RETURNED)
        assert returned.count() == 2

    def test_leaves_alone_what_came_back_before(self, owner: User) -> None:
        ticket = TicketFactory.create()
        part = PartFactory.create(quantity_in_stock=10)
        install_part(ticket=ticket, part=part, quantity_used=3, by=owner)
        remove_part(ticket=ticket, part=part, by=owner)

        move_ticket(ticket=ticket, status=Status.CANCELLED, by=owner)

        assert Part.objects.get(pk=part.pk).quantity_in_stock == 10
        assert part.movements.count() == 3

    def test_charges_nothing_for_what_was_returned(
        self, shop: APIClient, owner: User
    ) -> None:
        ticket = TicketFactory.create()
        install_part(
            ticket=ticket, part=PartFactory.create(), quantity_used=1, by=owner
        )

        answer = shop.patch(
            f"/api/service-tickets/{ticket.pk}", {"status": "cancelled"}
        )

        assert answer.status_code == 200
        assert answer.json()["parts_total_cents"] == 0
        assert answer.json()["ticket_parts"][0]["returned_at"] is not None


class TestUpdateTicket:
    def test_changes_what_is_sent_and_keeps_the_rest(self, shop: APIClient) -> None:
        ticket = TicketFactory.create(priority=3)

        answer = shop.put(f"/api/service-tickets/{ticket.pk}", {"priority": 1})

        assert answer.status_code == 200
        assert answer.json()["priority"] == 1
        assert answer.json()["problem_description"] == ticket.problem_description
        event = ticket.events.get()
        assert event.detail == {"changes": {"priority": {"old": 3, "new": 1}}}

    def test_takes_back_the_whole_answer_without_a_change(
        self, shop: APIClient
    ) -> None:
        ticket = TicketFactory.create()
        url = f"/api/service-tickets/{ticket.pk}"
        before = shop.get(url).json()

        answer = shop.put(url, before)

        assert answer.status_code == 200
        assert answer.json() == before
        assert not ticket.events.exists()

    def test_refuses_to_edit_a_closed_ticket(self, shop: APIClient) -> None:
        ticket = TicketFactory.create(closed=True)

        answer = shop.patch(f"/api/service-tickets/{ticket.pk}", {"priority": 1})

        assert answer.status_code == 409
        assert answer.json()["code"] == "ticket_closed"

    def test_edits_a_ticket_that_it_reopens(self, owner: User) -> None:
        ticket = TicketFactory.create(closed=True)

        update_ticket(ticket=ticket, by=owner, status="in_progress", priority=1)

        ticket.refresh_from_db()
        assert (ticket.status, ticket.priority) == ("in_progress", 1)

    def test_does_nothing_when_half_of_it_is_refused(self, shop: APIClient) -> None:
        ticket = TicketFactory.create(priority=3)

        answer = shop.put(
            f"/api/service-tickets/{ticket.pk}", {"priority": 1, "status": "completed"}
        )

        assert answer.status_code == 409
        ticket.refresh_from_db()
        assert ticket.priority == 3
        assert not ticket.events.exists()

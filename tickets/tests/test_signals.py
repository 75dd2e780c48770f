"""The signals to apps above: what receivers are told, and that they may refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connection
from django.dispatch import Signal
from rest_framework.test import APIClient

from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.core.errors import Conflict
from tickets.models import ServiceTicket, TicketEvent
from tickets.services import add_note, delete_ticket, install_part, move_ticket
from tickets.signals import ticket_closing, ticket_deleting, ticket_reopening
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

Receiver = Callable[..., None]


class Unpaid(Conflict):
    code = "unpaid"


@contextmanager
def receiving(signal: Signal, *receivers: Receiver) -> Iterator[None]:
    """Connect receivers, in this order, for a while."""
    with ExitStack() as stack:
        for receiver in receivers:
            signal.connect(receiver)
            stack.callback(signal.disconnect, receiver)
        yield


def refuse(sender: Any, **kwargs: Any) -> None:
    raise Unpaid("The invoice is not paid.")


@contextmanager
def told(signal: Signal) -> Iterator[list[dict[str, Any]]]:
    """Collect what a receiver is told, and how the ticket is stored at that moment."""
    calls: list[dict[str, Any]] = []

    def remember(
        sender: Any, signal: Signal, ticket: ServiceTicket, **kwargs: Any
    ) -> None:
        assert sender is ServiceTicket
        assert connection.in_atomic_block
        stored = ServiceTicket.objects.get(pk=ticket.pk)
        calls.append({"ticket": ticket.pk, "stored": stored.status, **kwargs})

    with receiving(signal, remember):
        yield calls


def change(shop: APIClient, ticket: ServiceTicket, **body: Any) -> Any:
    return shop.patch(f"/api/service-tickets/{ticket.pk}", body, format="json")


class TestTicketClosing:
    @pytest.mark.parametrize("status", ["completed", "cancelled"])
    def test_is_sent_before_a_ticket_is_closed(self, owner: User, status: str) -> None:
        ticket = TicketFactory.create(status="in_progress")

        with told(ticket_closing) as calls:
            move_ticket(ticket=ticket, status=status, by=owner)

        assert calls == [
            {
                "ticket": ticket.pk,
                "stored": "in_progress",
                "status": status,
                "by": owner,
            }
        ]

    def test_is_not_sent_for_other_moves(self, owner: User) -> None:
        ticket = TicketFactory.create()

        with told(ticket_closing) as calls, told(ticket_reopening) as others:
            move_ticket(ticket=ticket, status="waiting", by=owner)
            move_ticket(ticket=ticket, status="in_progress", by=owner)
            move_ticket(ticket=ticket, status="in_progress", by=owner)

        assert calls == others == []

    def test_is_not_sent_for_an_illegal_move(
        self, shop: APIClient, owner: User
    ) -> None:
        ticket = TicketFactory.create()

        with told(ticket_closing) as calls:
            response = change(shop, ticket, status="completed")

        assert response.data["code"] == "illegal_move"
        assert calls == []

    def test_a_conflict_of_a_receiver_undoes_everything(
        self, shop: APIClient, owner: User
    ) -> None:
        ticket, part = TicketFactory.create(), PartFactory.create(quantity_in_stock=9)
        install_part(ticket=ticket, part=part, quantity_used=4, by=owner)
        before = set(TicketEvent.objects.values_list("pk", flat=True))

        def note(sender: Any, ticket: ServiceTicket, by: User, **kwargs: Any) -> None:
            add_note(ticket=ticket, by=by, text="Written by another receiver.")

        with receiving(ticket_closing, note, refuse):
            response = change(shop, ticket, status="cancelled", priority=1)

        assert response.status_code == 409
        assert response.data["code"] == "unpaid"
        ticket.refresh_from_db()
        assert (ticket.status, ticket.priority, ticket.closed_at) == ("open", 3, None)
        assert Part.objects.get().quantity_in_stock == 5
        assert set(TicketEvent.objects.values_list("pk", flat=True)) == before

    def test_what_a_receiver_writes_is_kept(self, owner: User) -> None:
        ticket = TicketFactory.create(status="in_progress")

        def note(sender: Any, ticket: ServiceTicket, by: User, **kwargs: Any) -> None:
            add_note(ticket=ticket, by=by, text="The clock was stopped.")

        with receiving(ticket_closing, note):
            move_ticket(ticket=ticket, status="completed", by=owner)

        kinds = ticket.events.order_by("pk").values_list("kind", flat=True)
        assert list(kinds) == ["note", "status_changed"]


class TestTicketReopening:
    def test_is_sent_before_a_ticket_is_reopened(self, owner: User) -> None:
        ticket = TicketFactory.create(closed=True)

        with told(ticket_reopening) as calls, told(ticket_closing) as others:
            move_ticket(ticket=ticket, status="in_progress", by=owner)

        assert calls == [{"ticket": ticket.pk, "stored": "completed", "by": owner}]
        assert others == []

    def test_a_conflict_of_a_receiver_keeps_the_ticket_closed(
        self, shop: APIClient
    ) -> None:
        ticket = TicketFactory.create(closed=True)

        with receiving(ticket_reopening, refuse):
            response = change(shop, ticket, status="in_progress", priority=1)

        assert (response.status_code, response.data["code"]) == (409, "unpaid")
        ticket.refresh_from_db()
        assert (ticket.status, ticket.priority) == ("completed", 3)
        assert ticket.closed_at is not None
        assert not ticket.events.exists()


class TestTicketDeleting:
    def test_is_sent_before_a_ticket_is_deleted(self) -> None:
        ticket = TicketFactory.create()
        pk = ticket.pk

        with told(ticket_deleting) as calls:
            delete_ticket(ticket=ticket)

        assert calls == [{"ticket": pk, "stored": "open"}]
        assert not ServiceTicket.objects.exists()

    def test_a_conflict_of_a_receiver_keeps_the_ticket(self, shop: APIClient) -> None:
        ticket = TicketFactory.create()

        with receiving(ticket_deleting, refuse):
            response = shop.delete(f"/api/service-tickets/{ticket.pk}")

        assert (response.status_code, response.data["code"]) == (409, "unpaid")
        assert ServiceTicket.objects.get() == ticket

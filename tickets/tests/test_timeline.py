from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.services import add_note, assign_mechanic, install_part, move_ticket
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy_ticket(owner: User) -> ServiceTicket:
    """A ticket on which everything happened once."""
    ticket = TicketFactory.create()
    assign_mechanic(ticket=ticket, mechanic=MechanicFactory.create(), by=owner)
    install_part(ticket=ticket, part=PartFactory.create(), quantity_used=1, by=owner)
    add_note(ticket=ticket, by=owner, text="Customer haggles.")
    add_note(ticket=ticket, by=owner, text="Ready at 5.", visible_to_customer=True)
    move_ticket(ticket=ticket, status="waiting", by=owner)
    return ticket


class TestEvents:
    def test_tell_staff_everything_newest_first(
        self, shop: APIClient, busy_ticket: ServiceTicket, owner: User
    ) -> None:
        answer = shop.get(f"/api/service-tickets/{busy_ticket.pk}/events").json()

        assert [event["kind"] for event in answer["events"]] == [
            "status_changed",
            "note",
            "note",
            "part_installed",
            "mechanic_assigned",
        ]
        assert answer["pagination"]["total_events"] == 5
        assert answer["events"][0]["by"] == {
            "user_id": owner.pk,
            "name": owner.full_name,
        }

    def test_tell_customers_moves_and_notes_for_them(
        self, client_of: Callable[[User], APIClient], busy_ticket: ServiceTicket
    ) -> None:
        assert busy_ticket.customer.user is not None
        client = client_of(busy_ticket.customer.user)

        answer = client.get(f"/api/service-tickets/{busy_ticket.pk}/events").json()

        assert [event["kind"] for event in answer["events"]] == [
            "status_changed",
            "note",
        ]
        assert answer["events"][1]["detail"] == {"text": "Ready at 5."}
        assert {str(event["by"]) for event in answer["events"]} == {"None"}

    def test_cannot_be_changed_or_deleted(
        self, shop: APIClient, busy_ticket: ServiceTicket
    ) -> None:
        url = f"/api/service-tickets/{busy_ticket.pk}/events"

        for method in (shop.post, shop.put, shop.patch, shop.delete):
            assert method(url).status_code == 405


class TestNotes:
    def test_are_kept_for_staff_unless_said_otherwise(
        self, shop: APIClient, owner: User
    ) -> None:
        ticket = TicketFactory.create(closed=True)

        answer = shop.post(
            f"/api/service-tickets/{ticket.pk}/notes", {"text": "Called, no answer."}
        )

        assert answer.status_code == 201
        assert answer.json()["kind"] == "note"
        assert answer.json()["detail"] == {"text": "Called, no answer."}
        assert not ticket.events.get().visible_to_customer

    @pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "x" * 5001}])
    def test_say_something(self, shop: APIClient, body: dict[str, str]) -> None:
        ticket = TicketFactory.create()

        answer = shop.post(f"/api/service-tickets/{ticket.pk}/notes", body)

        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == ["text"]

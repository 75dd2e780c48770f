from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.accounts.tests.factories import user_in
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket, TicketEvent, TicketMechanic
from tickets.services import assign_mechanic
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(db: None) -> ServiceTicket:
    return TicketFactory.create()


def url(ticket: ServiceTicket, verb: str, mechanic_id: int) -> str:
    return f"/api/service-tickets/{ticket.pk}/{verb}/{mechanic_id}"


class TestAssignMechanic:
    def test_needs_no_body(self, shop: APIClient, ticket: ServiceTicket) -> None:
        mechanic = MechanicFactory.create()

        answer = shop.put(url(ticket, "assign-mechanic", mechanic.pk))

        assert answer.status_code == 200
        assert answer.json()["role"] == "Technician"
        assert answer.json()["minutes_worked"] == 0
        assert answer.json()["ticket"]["ticket_mechanics"] == [
            {
                "ticket_id": ticket.pk,
                "mechanic_id": mechanic.pk,
                "role": "Technician",
                "minutes_worked": 0,
                "mechanic": {
                    "mechanic_id": mechanic.pk,
                    "full_name": mechanic.full_name,
                    "is_active": True,
                },
            }
        ]

    def test_refuses_a_second_time(
        self, shop: APIClient, ticket: ServiceTicket, owner: User
    ) -> None:
        mechanic = MechanicFactory.create()
        assign_mechanic(ticket=ticket, mechanic=mechanic, by=owner, role="Lead")

        answer = shop.put(url(ticket, "assign-mechanic", mechanic.pk))

        assert answer.status_code == 409
        assert answer.json()["code"] == "already_assigned"
        assert TicketMechanic.objects.get().role == "Lead"

    def test_refuses_somebody_who_left(
        self, shop: APIClient, ticket: ServiceTicket
    ) -> None:
        mechanic = MechanicFactory.create(is_active=False)

        answer = shop.put(url(ticket, "assign-mechanic", mechanic.pk))

        assert answer.status_code == 409
        assert answer.json()["code"] == "mechanic_inactive"

    def test_refuses_a_closed_ticket(self, shop: APIClient) -> None:
        ticket = TicketFactory.create(closed=True)

        answer = shop.put(url(ticket, "assign-mechanic", MechanicFactory.create().pk))

        assert answer.status_code == 409
        assert answer.json()["code"] == "ticket_closed"

    @pytest.mark.parametrize("missing", ["ticket", "mechanic"])
    def test_is_not_found_without_both(
        self, shop: APIClient, ticket: ServiceTicket, missing: str
    ) -> None:
        mechanic_id = MechanicFactory.create().pk
        ticket_id = ticket.pk + 1 if missing == "ticket" else ticket.pk
        mechanic_id += missing == "mechanic"

        answer = shop.put(
            f"/api/service-tickets/{ticket_id}/assign-mechanic/{mechanic_id}"
        )

        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"

    @pytest.mark.parametrize("minutes", [-1, 100_001, 2.9, "x", True, 10**30])
    def test_refuses_minutes_that_cannot_be(
        self, shop: APIClient, ticket: ServiceTicket, minutes: object
    ) -> None:
        answer = shop.put(
            url(ticket, "assign-mechanic", MechanicFactory.create().pk),
            {"minutes_worked": minutes},
        )

        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == ["minutes_worked"]


class TestRemoveMechanic:
    def test_keeps_the_minutes_in_the_event(
        self, shop: APIClient, ticket: ServiceTicket, owner: User
    ) -> None:
        mechanic = MechanicFactory.create()
        assign_mechanic(ticket=ticket, mechanic=mechanic, by=owner, minutes_worked=90)

        answer = shop.put(url(ticket, "remove-mechanic", mechanic.pk))

        assert answer.status_code == 200
        assert answer.json()["ticket"]["ticket_mechanics"] == []
        event = ticket.events.get(kind=TicketEvent.Kind.MECHANIC_REMOVED)
        assert event.detail["minutes_worked"] == 90

    def test_is_not_found_when_not_on_the_ticket(
        self, shop: APIClient, ticket: ServiceTicket
    ) -> None:
        answer = shop.put(url(ticket, "remove-mechanic", MechanicFactory.create().pk))

        assert answer.status_code == 404


class TestChangeAssignment:
    def test_changes_minutes_and_tells_old_and_new(
        self, shop: APIClient, ticket: ServiceTicket, owner: User
    ) -> None:
        mechanic = MechanicFactory.create()
        assign_mechanic(ticket=ticket, mechanic=mechanic, by=owner, role="Lead")

        answer = shop.patch(
            url(ticket, "mechanics", mechanic.pk), {"minutes_worked": 45}
        )

        assert answer.status_code == 200
        assert answer.json()["role"] == "Lead"
        assert answer.json()["minutes_worked"] == 45
        event = ticket.events.get(kind=TicketEvent.Kind.ASSIGNMENT_CHANGED)
        assert event.detail["changes"] == {"minutes_worked": {"old": 0, "new": 45}}

    def test_technician_logs_own_minutes_but_no_role(
        self, ticket: ServiceTicket, client_of: Callable[[User], APIClient]
    ) -> None:
        technician = user_in(TECHNICIAN)
        mechanic = MechanicFactory.create(user=technician)
        assign_mechanic(ticket=ticket, mechanic=mechanic, by=technician)
        path = url(ticket, "mechanics", mechanic.pk)

        minutes = client_of(technician).patch(path, {"minutes_worked": 30})
        role = client_of(technician).patch(path, {"role": "Lead"})

        assert (minutes.status_code, role.status_code) == (200, 403)
        assignment = ticket.ticket_mechanics.get()
        assert (assignment.minutes_worked, assignment.role) == (30, "Technician")

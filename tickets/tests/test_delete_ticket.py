from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.services import assign_mechanic, install_part, remove_part
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


def delete(shop: APIClient, ticket: ServiceTicket) -> int:
    return shop.delete(f"/api/service-tickets/{ticket.pk}").status_code


class TestDeleteTicket:
    def test_takes_assignments_without_minutes_and_events_along(
        self, shop: APIClient, owner: User
    ) -> None:
        ticket = TicketFactory.create()
        assign_mechanic(ticket=ticket, mechanic=MechanicFactory.create(), by=owner)

        assert delete(shop, ticket) == 204

        assert not ServiceTicket.objects.exists()

    def test_is_refused_when_somebody_worked(
        self, shop: APIClient, owner: User
    ) -> None:
        ticket, mechanic = TicketFactory.create(), MechanicFactory.create()
        assign_mechanic(ticket=ticket, mechanic=mechanic, by=owner, minutes_worked=1)

        assert delete(shop, ticket) == 409

    def test_is_refused_when_stock_ever_moved(
        self, shop: APIClient, owner: User
    ) -> None:
        ticket, part = TicketFactory.create(), PartFactory.create()
        install_part(ticket=ticket, part=part, quantity_used=1, by=owner)
        assert delete(shop, ticket) == 409
        remove_part(ticket=ticket, part=part, by=owner)

        assert delete(shop, ticket) == 409

        assert ServiceTicket.objects.exists()

"""64 threads take from 10 in stock: exactly 10 get one, whatever the database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.db.models import Sum

from customers.tests.factories import VehicleFactory
from inventory.models import Part, StockMovement
from inventory.services import InsufficientStock
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory
from tickets.models import ServiceTicket, TicketPart
from tickets.services import install_part
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 64
IN_STOCK = 10

Take = Callable[[ServiceTicket, Part, User], None]


def take_by_service(ticket: ServiceTicket, part: Part, by: User) -> None:
    install_part(ticket=ticket, part=part, quantity_used=1, by=by)


def naively(barrier: Barrier) -> Take:
    """Look first, take afterwards: what the conditional UPDATE is there to prevent."""

    def take(ticket: ServiceTicket, part: Part, by: User) -> None:
        available = Part.objects.get(pk=part.pk).quantity_in_stock
        barrier.wait()
        if available < 1:
            raise InsufficientStock(part, requested=1, available=available)
        Part.objects.filter(pk=part.pk).update(quantity_in_stock=available - 1)

    return take


def race(take: Take, part: Part) -> int:
    """Let every thread take one unit for a ticket of its own; count who got one."""
    by = UserFactory.create(is_staff=True)
    vehicle = VehicleFactory.create()
    tickets = [TicketFactory.create(vehicle=vehicle) for _ in range(THREADS)]
    start = Barrier(THREADS)

    def attempt(ticket: ServiceTicket) -> bool:
        start.wait()
        try:
            take(ticket, part, by)
        except InsufficientStock:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(attempt, tickets))


class TestStock:
    def test_is_taken_exactly_as_often_as_there_is_some(self) -> None:
        part = PartFactory.create(quantity_in_stock=IN_STOCK)

        winners = race(take_by_service, part)

        part.refresh_from_db()
        assert winners == IN_STOCK
        assert part.quantity_in_stock == 0
        assert TicketPart.objects.count() == IN_STOCK
        ledger = StockMovement.objects.filter(part=part)
        assert ledger.aggregate(sum=Sum("delta"))["sum"] == 0
        left = ledger.order_by("pk").values_list("quantity_after", flat=True)
        assert list(left) == list(range(IN_STOCK, -1, -1))

    def test_would_be_sold_twice_by_looking_first(self) -> None:
        part = PartFactory.create(quantity_in_stock=IN_STOCK)

        winners = race(naively(Barrier(THREADS)), part)

        assert winners > IN_STOCK

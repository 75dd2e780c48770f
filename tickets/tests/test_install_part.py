from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from inventory.models import Part, StockMovement
from inventory.services import update_part
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import UserFactory
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket, TicketEvent, TicketPart
from tickets.services import (
    AlreadyInstalled,
    TicketClosed,
    install_part,
    remove_part,
)
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(db: None) -> ServiceTicket:
    return TicketFactory.create()


@pytest.fixture
def part(db: None) -> Part:
    return PartFactory.create(quantity_in_stock=10, current_cost_cents=4_500)


def stock_of(part: Part) -> int:
    return Part.objects.get(pk=part.pk).quantity_in_stock


def line_url(ticket: ServiceTicket, part: Part) -> str:
    return f"/api/service-tickets/{ticket.pk}/parts/{part.pk}"


class TestInstallPart:
    def test_captures_the_cost_and_takes_the_stock(
        self, shop: APIClient, ticket: ServiceTicket, part: Part
    ) -> None:
        mechanic = MechanicFactory.create()

        answer = shop.post(
            line_url(ticket, part),
            {
                "quantity_used": 2,
                "markup_percentage": 30.0,
                "warranty_months": 12,
                "installed_by_mechanic_id": mechanic.pk,
            },
        )

        assert answer.status_code == 201
        assert answer.json() == {
            "message": f"2 × {part.name} installed.",
            "ticket_id": ticket.pk,
            "part_id": part.pk,
            "part_name": part.name,
            "quantity_used": 2,
            "unit_cost_cents": 4_500,
            "total_cost": 117.0,
            "total_cost_cents": 11_700,
            "remaining_stock": 8,
        }
        assert stock_of(part) == 8

    def test_leaves_a_movement_and_an_event(
        self, ticket: ServiceTicket, part: Part, owner: User
    ) -> None:
        install_part(ticket=ticket, part=part, quantity_used=3, by=owner)

        movement = StockMovement.objects.get(ticket=ticket)
        assert (movement.delta, movement.quantity_after) == (-3, 7)
        assert (movement.reason, movement.by) == ("install", owner)
        event = ticket.events.get()
        assert event.kind == TicketEvent.Kind.PART_INSTALLED
        assert event.detail["quantity_used"] == 3

    def test_keeps_the_cost_of_the_day(
        self, ticket: ServiceTicket, part: Part, owner: User
    ) -> None:
        install_part(ticket=ticket, part=part, quantity_used=1, by=owner)

        update_part(part=part, by=owner, current_cost_cents=9_900)

        assert TicketPart.objects.get().unit_cost_cents == 4_500

    def test_refuses_a_closed_ticket_and_leaves_the_shelf_alone(
        self, part: Part
    ) -> None:
        closed = TicketFactory.create(closed=True)

        with pytest.raises(TicketClosed):
            install_part(
                ticket=closed, part=part, quantity_used=2, by=UserFactory.create()
            )

        assert stock_of(part) == 10

    def test_refuses_more_than_there_is_and_says_how_much(
        self, shop: APIClient, ticket: ServiceTicket, part: Part
    ) -> None:
        answer = shop.post(line_url(ticket, part), {"quantity_used": 11})

        assert answer.status_code == 409
        assert answer.json()["code"] == "insufficient_stock"
        assert answer.json()["requested"] == 11
        assert answer.json()["available"] == 10
        assert stock_of(part) == 10
        assert not ticket.events.exists()

    def test_refuses_the_same_part_twice(
        self, ticket: ServiceTicket, part: Part, owner: User
    ) -> None:
        install_part(ticket=ticket, part=part, quantity_used=1, by=owner)

        with pytest.raises(AlreadyInstalled):
            install_part(ticket=ticket, part=part, quantity_used=1, by=owner)

        assert stock_of(part) == 9

    def test_refuses_a_part_that_is_no_longer_kept(
        self, shop: APIClient, ticket: ServiceTicket
    ) -> None:
        part = PartFactory.create(is_active=False)

        answer = shop.post(line_url(ticket, part), {"quantity_used": 1})

        assert answer.status_code == 409
        assert answer.json()["code"] == "part_inactive"
        assert stock_of(part) == 10

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("quantity_used", 0),
            ("quantity_used", -1),
            ("quantity_used", 2.9),
            ("quantity_used", True),
            ("quantity_used", 1_000_001),
            ("quantity_used", 10**30),
            ("markup_percentage", -1),
            ("markup_percentage", 1000),
            ("markup_percentage", "x"),
            ("warranty_months", 601),
            ("installed_by_mechanic_id", 0),
            ("unit_cost_cents", 1),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self,
        shop: APIClient,
        ticket: ServiceTicket,
        part: Part,
        field: str,
        value: object,
    ) -> None:
        answer = shop.post(line_url(ticket, part), {"quantity_used": 1, field: value})

        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == [field]
        assert stock_of(part) == 10


class TestSystemBsForms:
    def test_take_the_part_from_the_body(
        self, shop: APIClient, ticket: ServiceTicket, part: Part
    ) -> None:
        answer = shop.post(
            f"/api/service_tickets/{ticket.pk}/parts/", {"inventory_id": part.pk}
        )

        assert answer.status_code == 201
        assert answer.json()["quantity_used"] == 1
        assert answer.json()["remaining_stock"] == 9

    def test_take_one_without_a_body(
        self, shop: APIClient, ticket: ServiceTicket, part: Part
    ) -> None:
        answer = shop.post(f"/api/service_tickets/{ticket.pk}/add-part/{part.pk}/")

        assert answer.status_code == 201
        assert answer.json()["total_cost_cents"] == 5_850

    def test_take_as_many_as_the_body_says(
        self, shop: APIClient, ticket: ServiceTicket, part: Part
    ) -> None:
        answer = shop.post(
            f"/api/service_tickets/{ticket.pk}/add-part/{part.pk}",
            {"quantity_used": 4},
        )

        assert answer.json()["remaining_stock"] == 6


class TestChangeInstalledPart:
    @pytest.mark.parametrize(("quantity", "left"), [(5, 5), (1, 9), (2, 8)])
    def test_moves_only_the_difference(
        self,
        shop: APIClient,
        ticket: ServiceTicket,
        part: Part,
        owner: User,
        quantity: int,
        left: int,
    ) -> None:
        install_part(ticket=ticket, part=part, quantity_used=2, by=owner)
        update_part(part=part, by=owner, current_cost_cents=1)

        answer = shop.patch(line_url(ticket, part), {"quantity_used": quantity})

        assert answer.status_code == 200
        assert answer.json()["quantity_used"] == quantity
        assert answer.json()["unit_cost_cents"] == 4_500
        assert stock_of(part) == left

    def test_refuses_more_than_there_is(
        self, shop: APIClient, ticket: ServiceTicket, part: Part, owner: User
    ) -> None:
        install_part(ticket=ticket, part=part, quantity_used=2, by=owner)

        answer = shop.patch(line_url(ticket, part), {"quantity_used": 11})

        assert answer.status_code == 409
        assert answer.json()["requested"] == 9
        assert answer.json()["available"] == 8
        assert TicketPart.objects.get().quantity_used == 2

    def test_changes_the_warranty(
        self, shop: APIClient, ticket: ServiceTicket, part: Part, owner: User
    ) -> None:
        install_part(ticket=ticket, part=part, quantity_used=2, by=owner)

        answer = shop.patch(line_url(ticket, part), {"warranty_months": 6})

        assert answer.json()["warranty_months"] == 6
        event = ticket.events.get(kind=TicketEvent.Kind.PART_CHANGED)
        assert event.detail["changes"] == {"warranty_months": {"old": None, "new": 6}}

    def test_is_not_found_when_not_installed(
        self, shop: APIClient, ticket: ServiceTicket, part: Part
    ) -> None:
        assert shop.patch(line_url(ticket, part), {}).status_code == 404


class TestRemovePart:
    def test_brings_the_stock_back_exactly_once(
        self, shop: APIClient, ticket: ServiceTicket, part: Part, owner: User
    ) -> None:
        install_part(ticket=ticket, part=part, quantity_used=4, by=owner)

        first = shop.delete(line_url(ticket, part))
        second = shop.delete(line_url(ticket, part))

        assert (first.status_code, second.status_code) == (204, 404)
        assert stock_of(part) == 10
        assert [m.delta for m in part.movements.order_by("pk")] == [10, -4, 4]
        assert ticket.events.filter(kind=TicketEvent.Kind.PART_REMOVED).count() == 1

    def test_lets_the_part_be_installed_again(
        self, ticket: ServiceTicket, part: Part, owner: User
    ) -> None:
        install_part(ticket=ticket, part=part, quantity_used=4, by=owner)
        remove_part(ticket=ticket, part=part, by=owner)

        install_part(ticket=ticket, part=part, quantity_used=1, by=owner)

        assert stock_of(part) == 9

    def test_gives_nothing_back_from_a_closed_ticket(
        self, part: Part, owner: User
    ) -> None:
        ticket = TicketFactory.create()
        install_part(ticket=ticket, part=part, quantity_used=4, by=owner)
        ServiceTicket.objects.filter(pk=ticket.pk).update(
            status="completed", closed_at=ticket.opened_at
        )

        with pytest.raises(TicketClosed):
            remove_part(ticket=ticket, part=part, by=owner)

        assert stock_of(part) == 6


class TestLineTotal:
    @given(
        quantity=st.integers(1, 1_000_000),
        cost=st.integers(0, 1_000_000_000),
        markup=st.decimals(0, Decimal("999.99"), places=2),
    )
    def test_is_exact_and_rounds_half_up_once(
        self, quantity: int, cost: int, markup: Decimal
    ) -> None:
        line = TicketPart(
            quantity_used=quantity, unit_cost_cents=cost, markup_percentage=markup
        )

        # In hundredths of a percent everything is whole: no rounding but the last one.
        exact = quantity * cost * (10_000 + int(markup * 100))
        assert line.total_cost_cents == (exact + 5_000) // 10_000

    @pytest.mark.parametrize(
        ("quantity", "cost", "markup", "total"),
        [(1, 5, "30", 7), (1, 15, "30", 20), (3, 333, "0", 999), (1, 1, "50", 2)],
    )
    def test_rounds_the_half_cent_up(
        self, quantity: int, cost: int, markup: str, total: int
    ) -> None:
        line = TicketPart(
            quantity_used=quantity,
            unit_cost_cents=cost,
            markup_percentage=Decimal(markup),
        )

        assert line.total_cost_cents == total

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from inventory.models import Part, StockMovement
from inventory.services import adjust_stock
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from tickets.services import install_part, remove_part
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


class TestDeletePart:
    def test_goes_with_its_movements(self, shop: APIClient, owner: User) -> None:
        part, other = PartFactory.create(), PartFactory.create()
        adjust_stock(part=part, adjustment=1, by=owner)

        response = shop.delete(f"/api/inventory/{part.pk}")

        assert (response.status_code, response.content) == (204, b"")
        assert list(Part.objects.all()) == [other]
        assert not StockMovement.objects.filter(part_id=part.pk).exists()
        assert other.movements.count() == 1

    def test_refuses_a_part_on_a_ticket(self, shop: APIClient, owner: User) -> None:
        part = PartFactory.create(quantity_in_stock=10)
        install_part(
            ticket=TicketFactory.create(), part=part, quantity_used=1, by=owner
        )

        response = shop.delete(f"/api/inventory/{part.pk}")

        assert (response.status_code, response.json()["code"]) == (409, "in_use")
        assert Part.objects.get(pk=part.pk).quantity_in_stock == 9
        assert part.movements.count() == 2

    def test_refuses_a_part_that_was_ever_on_a_ticket(
        self, shop: APIClient, owner: User
    ) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()
        install_part(ticket=ticket, part=part, quantity_used=1, by=owner)
        remove_part(ticket=ticket, part=part, by=owner)

        response = shop.delete(f"/api/inventory/{part.pk}")

        assert (response.status_code, response.json()["code"]) == (409, "in_use")
        assert Part.objects.filter(pk=part.pk).exists()

    def test_frees_the_number(self, shop: APIClient) -> None:
        part = PartFactory.create(part_number="abc")
        shop.delete(f"/api/inventory/{part.pk}")

        response = shop.post(
            "/api/inventory", {"name": "Filter", "price": 1, "part_number": "ABC"}
        )

        assert response.status_code == 201

    def test_answers_404_the_second_time(self, shop: APIClient) -> None:
        part = PartFactory.create()

        statuses = [shop.delete(f"/api/inventory/{part.pk}").status_code for _ in "ab"]

        assert statuses == [204, 404]

"""Parts and mechanics of tickets, with everybody at the counter at once."""

from __future__ import annotations

import time

import pytest

from .load import Answer, at_once, codes, counted
from .shop import Shop

pytestmark = pytest.mark.race

IN_STOCK = 10
LINE = {"quantity_used": 1}
CANCEL = {"status": "cancelled"}


class TestStock:
    def test_of_ten_goes_to_ten_of_64_tickets(self, shop: Shop) -> None:
        part = shop.new_part(quantity_in_stock=IN_STOCK)
        tickets = shop.new_tickets(64)

        answers = at_once(
            64,
            lambda i: shop.owner.post(
                f"/service-tickets/{tickets[i]}/parts/{part}", LINE
            ),
        )

        assert counted(answers) == {201: IN_STOCK, 409: 64 - IN_STOCK}
        assert codes(answers) == {"insufficient_stock"}
        assert shop.stock(part) == 0
        assert shop.moved(part) == [-1] * IN_STOCK
        shop.assert_invariants()

    def test_goes_to_a_ticket_once_however_often_it_is_asked_for(
        self, shop: Shop
    ) -> None:
        part, ticket = shop.new_part(quantity_in_stock=100), shop.new_ticket()
        path = f"/service-tickets/{ticket}/parts/{part}"

        answers = at_once(32, lambda _: shop.owner.post(path, LINE))

        assert counted(answers) == {201: 1, 409: 31}
        assert codes(answers) == {"already_installed"}
        assert shop.stock(part) == 99
        assert shop.moved(part) == [-1]
        shop.assert_invariants()

    def test_comes_back_once_however_often_it_is_removed(self, shop: Shop) -> None:
        part, ticket = shop.new_part(quantity_in_stock=IN_STOCK), shop.new_ticket()
        path = f"/service-tickets/{ticket}/parts/{part}"
        shop.owner.post(path, {"quantity_used": 3}).expect(201)

        answers = at_once(16, lambda _: shop.owner.delete(path))

        assert counted(answers) == {204: 1, 404: 15}
        assert shop.stock(part) == IN_STOCK
        assert shop.moved(part) == [-3, 3]
        shop.assert_invariants()


class TestAssignMechanic:
    def test_puts_a_mechanic_on_a_ticket_once(self, shop: Shop) -> None:
        ticket, mechanic = shop.new_ticket(), shop.new_mechanic()
        path = f"/service-tickets/{ticket}/assign-mechanic/{mechanic}"

        answers = at_once(32, lambda _: shop.owner.put(path, {}))

        assert counted(answers) == {200: 1, 409: 31}
        assert codes(answers) == {"already_assigned"}
        assert len(shop.ticket(ticket)["ticket_mechanics"]) == 1
        assert len(shop.events(ticket, "mechanic_assigned")) == 1
        shop.assert_invariants()


class TestCancel:
    def test_lets_no_part_land_on_the_closed_ticket(self, shop: Shop) -> None:
        ticket, parts = shop.new_ticket(), shop.new_parts(32, quantity_in_stock=1)
        path = f"/service-tickets/{ticket}"
        # In the middle, so that parts are installed before and after.
        parts.insert(16, 0)

        def install_or_cancel(i: int) -> Answer:
            # One after the other, so that some are at it whenever the ticket closes.
            time.sleep(0.01 * i)
            if parts[i]:
                return shop.owner.post(f"{path}/parts/{parts[i]}", LINE)
            return shop.owner.patch(path, CANCEL)

        answers = at_once(33, install_or_cancel)

        cancel, installs = answers.pop(16), answers
        parts.remove(0)
        assert cancel.status == 200
        assert counted(installs).keys() <= {201, 409}
        assert codes(installs) <= {"ticket_closed"}
        assert [shop.stock(part) for part in parts] == [1] * 32
        happened = [event["kind"] for event in shop.events(ticket)]
        assert "part_installed" not in happened[happened.index("status_changed") :]
        shop.assert_invariants()

    def test_returns_what_others_are_removing_once(self, shop: Shop) -> None:
        ticket, parts = shop.new_ticket(), shop.new_parts(16, quantity_in_stock=1)
        path = f"/service-tickets/{ticket}"
        for part in parts:
            shop.owner.post(f"{path}/parts/{part}", LINE).expect(201)

        def cancel_or_remove(i: int) -> Answer:
            # One after the other, so that some are at it whenever the ticket closes.
            time.sleep(0.02 * i)
            if i == 0:
                return shop.owner.patch(path, CANCEL)
            return shop.owner.delete(f"{path}/parts/{parts[i - 1]}")

        cancel, *removals = at_once(17, cancel_or_remove)

        assert [shop.moved(part) for part in parts] == [[-1, 1]] * 16
        assert [shop.stock(part) for part in parts] == [1] * 16
        assert cancel.status == 200
        assert counted(removals).keys() <= {204, 409}
        assert codes(removals) <= {"ticket_closed"}
        shop.assert_invariants()

"""Everybody does everything at once, and the books are right afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count, cycle

import pytest

from .load import Answer
from .shop import Row, Shop

CLIENTS = 32
PARTS = 8
IN_STOCK = 60
SECONDS = 2.0
ROUND_SECONDS = 60.0
ROUNDS = 5


@dataclass(frozen=True)
class Workshop:
    """What all share: the parts, and tickets on which everybody works."""

    shop: Shop
    vehicle: int
    parts: Sequence[int]
    tickets: Sequence[int]
    mechanics: Sequence[int]


def new_workshop(shop: Shop) -> Workshop:
    vehicle = shop.new_vehicle()
    return Workshop(
        shop,
        vehicle,
        parts=shop.new_parts(PARTS, quantity_in_stock=IN_STOCK),
        tickets=shop.new_tickets(4, vehicle),
        mechanics=[shop.new_mechanic() for _ in range(3)],
    )


@dataclass
class Worker:
    """Somebody with a ticket of their own, who writes down what was acknowledged.

    ``moved`` is by how much the stock of each part must differ by these requests alone.
    Only the own ticket has lines of several units, so each request's effect is known.
    """

    workshop: Workshop
    number: int
    moved: Counter[int] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    bad: list[Answer] = field(default_factory=list)
    ticket: int = 0
    lines: dict[int, int] = field(default_factory=dict)
    shared: tuple[str, int] | None = None

    def __post_init__(self) -> None:
        parts = self.workshop.parts
        self._parts = cycle(parts if self.number % 2 else parts[::-1])
        self._tickets = cycle(self.workshop.tickets)
        # Everybody begins with something else.
        first = self.number % len(ACTIONS)
        self._actions = cycle((*ACTIONS[first:], *ACTIONS[:first]))

    def work_until(self, deadline: float) -> None:
        """Do everything once, however long it takes, and go on to the deadline."""
        for number in count():
            if number >= FULL_ROUND and time.monotonic() >= deadline:
                return
            if self.ticket:
                next(self._actions)(self, next(self._parts))
            else:
                self.open_own()

    # --- The own ticket ---------------------------------------------------------------

    def open_own(self) -> None:
        body = {
            "vehicle_id": self.workshop.vehicle,
            "problem_description": "It rattles",
            "odometer_miles": 90_000,
        }
        answer = self._ask("open", "POST", "/service-tickets", body)
        if answer.status == 201:
            self.ticket, self.lines = int(answer.json()["ticket_id"]), {}

    def install(self, part: int) -> None:
        answer = self._ask("install", "POST", self._line(part), {"quantity_used": 2})
        if answer.status == 201:
            self._use(part, 2)

    def change(self, part: int) -> None:
        part = self._installed(part)
        units = 4 - self.lines.get(part, 2) if self.number % 4 else 1
        body = {"quantity_used": units}
        if self._ask("change", "PATCH", self._line(part), body).status == 200:
            self._use(part, units)

    def remove(self, part: int) -> None:
        part = self._installed(part)
        if self._ask("remove", "DELETE", self._line(part)).status == 204:
            self._use(part, 0)

    def cancel(self, _: int) -> None:
        path = f"/service-tickets/{self.ticket}"
        if self._ask("cancel", "PATCH", path, {"status": "cancelled"}).status == 200:
            for part in list(self.lines):
                self._use(part, 0)
            self.ticket = 0

    # --- What is everybody's ----------------------------------------------------------

    def share(self, part: int) -> None:
        self.shared = f"/service-tickets/{next(self._tickets)}/parts/{part}", part
        answer = self._ask("share", "POST", self.shared[0], {"quantity_used": 1})
        self.moved[part] -= answer.status == 201

    def take_back(self, part: int) -> None:
        one_of_them = f"/service-tickets/{next(self._tickets)}/parts/{part}"
        path, part = self.shared or (one_of_them, part)
        self.moved[part] += self._ask("take back", "DELETE", path).status == 204

    def adjust(self, part: int) -> None:
        units = 3 if self.number % 2 else -2
        path = f"/inventory/{part}/adjust-quantity"
        if self._ask("adjust", "PATCH", path, {"adjustment": units}).status == 200:
            self.moved[part] += units

    def assign(self, part: int) -> None:
        mechanic = self.workshop.mechanics[part % 3]
        path = f"/service-tickets/{next(self._tickets)}/assign-mechanic/{mechanic}"
        self._ask("assign", "PUT", path, {})

    def unassign(self, part: int) -> None:
        mechanic = self.workshop.mechanics[part % 3]
        path = f"/service-tickets/{next(self._tickets)}/remove-mechanic/{mechanic}"
        self._ask("unassign", "PUT", path, {})

    def edit_ticket(self, part: int) -> None:
        body = {"problem_description": f"It rattles, says {self.number}, near {part}"}
        path = f"/service-tickets/{next(self._tickets)}"
        self._ask("edit ticket", "PATCH", path, body)

    def edit_part(self, part: int) -> None:
        body = {"supplier": f"Supplier {self.number}"}
        self._ask("edit part", "PATCH", f"/inventory/{part}", body)

    # --- Steps ------------------------------------------------------------------------

    def _installed(self, otherwise: int) -> int:
        """Choose a part of the own ticket, where there is one."""
        return max((part for part in self.lines if self.lines[part]), default=otherwise)

    def _line(self, part: int) -> str:
        return f"/service-tickets/{self.ticket}/parts/{part}"

    def _use(self, part: int, units: int) -> None:
        """Write down that the own ticket has so many units of the part now."""
        self.moved[part] -= units - self.lines.get(part, 0)
        self.lines[part] = units

    def _ask(
        self, what: str, method: str, path: str, body: Row | None = None
    ) -> Answer:
        answer = self.workshop.shop.owner.request(method, path, body)
        if answer.status == 0 or answer.status >= 500:
            self.bad.append(answer)
        self.done[what] += 200 <= answer.status < 300
        return answer


#: One after the other; their number and that of the parts have no common divisor.
ACTIONS: Sequence[Callable[[Worker, int], None]] = (
    *(Worker.install, Worker.share, Worker.adjust, Worker.change, Worker.assign),
    *(Worker.install, Worker.take_back, Worker.edit_ticket, Worker.remove),
    *(Worker.edit_part, Worker.unassign, Worker.install, Worker.cancel),
)
#: Everything once, and a ticket to do it on before and after the cancellation.
FULL_ROUND = len(ACTIONS) + 2


def work(workshop: Workshop, seconds: float) -> list[Worker]:
    """Let all work for so long, half of them through the parts backwards."""
    workers = [Worker(workshop, number) for number in range(CLIENTS)]
    deadline = time.monotonic() + seconds
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda worker: worker.work_until(deadline), workers))
    return workers


def assert_books_are_right(workshop: Workshop, workers: list[Worker]) -> None:
    """Compare the shelf with what was acknowledged, whatever the server's books say.

    :raises AssertionError: if they differ, or if a request was not answered properly
    """
    moved = {part: sum(w.moved[part] for w in workers) for part in workshop.parts}
    left = {part: workshop.shop.stock(part) for part in workshop.parts}
    ledger = {part: sum(workshop.shop.moved(part)) for part in workshop.parts}
    done = sum((worker.done for worker in workers), Counter[str]())
    assert [answer for worker in workers for answer in worker.bad] == []
    assert left == {part: IN_STOCK + moved[part] for part in workshop.parts}
    assert ledger == moved
    assert len(+done) == len({Worker.open_own, *ACTIONS}), f"some failed: {done}"
    workshop.shop.assert_invariants()


class TestBooks:
    @pytest.mark.race
    def test_agree_with_what_32_clients_were_told(self, shop: Shop) -> None:
        workshop = new_workshop(shop)

        workers = work(workshop, SECONDS)

        assert_books_are_right(workshop, workers)

    @pytest.mark.soak
    def test_agree_for_minutes(self, shop: Shop) -> None:
        for _ in range(ROUNDS):
            workshop = new_workshop(shop)

            workers = work(workshop, ROUND_SECONDS)

            assert_books_are_right(workshop, workers)

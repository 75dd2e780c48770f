"""How many rows a shop of some scale has, and which id belongs to what.

Everything follows from the ids, so that any row can be told without asking the
database: requests can be written down before a run, and a run can be undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd

CUSTOMERS = 20_000
TICKETS_EACH = 3
PARTS = 2_000
#: A shop with ten times the customers is open longer; the list of those who work there
#: is answered whole and stays as long as it is.
MECHANICS = 200
LOW_STOCK = 3
REORDER_LEVEL = 5
#: Of the parts that the write workloads install; nothing else is done with them.
AMPLE_STOCK = 10_000_000

MANAGER_ID = 1
#: Logins by id and the groups they are in.
LOGINS = {1: "Manager", 2: "Service advisor", 3: "Technician", 4: None}

#: What a ticket's id, divided by ten, leaves for each status.
IN_PROGRESS, OPEN, WAITING, CANCELLED = (1, 2), (3,), (4,), (9,)
#: Of those the write workloads work on the tickets with this one.
WORKED_ON = 1
LAST_CANCELLED = 9


@dataclass(frozen=True)
class Stock:
    """What happened to a part before the benchmark: the sums of its movements."""

    part: int
    quantity: int
    firsts: int
    seconds: int
    returns: int
    left: int

    @property
    def initial(self) -> int:
        used = self.firsts + self.seconds - self.returns
        return self.left + self.quantity * used


@dataclass(frozen=True)
class Shop:
    scale: float = 1.0

    @property
    def database(self) -> str:
        return f"bench_scale_{self.scale:g}".replace(".", "_")

    @property
    def customers(self) -> int:
        return max(round(CUSTOMERS * self.scale), 200)

    @property
    def tickets(self) -> int:
        """Return a multiple of ten, so that every status has its share."""
        return self.customers * TICKETS_EACH // 10 * 10

    @property
    def mechanics(self) -> int:
        return MECHANICS

    @property
    def parts(self) -> int:
        return max(round(PARTS * self.scale), 100)

    @property
    def second_lines(self) -> int:
        """Every other ticket has two parts, which makes 1.5 each."""
        return self.tickets // 2

    @property
    def lines(self) -> int:
        return self.tickets + self.second_lines

    @property
    def cancelled(self) -> int:
        return self.tickets // 10

    @property
    def movements(self) -> int:
        return self.parts + self.lines + self.cancelled

    @cached_property
    def ample_parts(self) -> int:
        """Set aside the first parts for the write workloads.

        How many are left divides neither 2 nor 5, so that tickets 2, 4, 6, … and 9,
        19, 29, … go through all the others in turn.
        """
        aside = self.parts // 10
        while gcd(self.parts - aside, 10) > 1:
            aside += 1
        return aside

    @property
    def used_parts(self) -> int:
        return self.parts - self.ample_parts

    @property
    def deep_page(self) -> int:
        """Page 1,900, or one as near to the end in a smaller shop."""
        return min(1_900, self.customers // 10 * 19 // 20)

    def stocks(self) -> list[Stock]:
        """Tell of every part how often the tickets took and gave back some."""
        ample = [
            Stock(part, 1, 0, 0, 0, AMPLE_STOCK)
            for part in range(1, self.ample_parts + 1)
        ]
        return ample + [self._stock(place) for place in range(self.used_parts)]

    def _stock(self, place: int) -> Stock:
        size = self.used_parts
        second = (place * pow(2, -1, size) - 1) % size
        returned = (place - 8) * pow(10, -1, size) % size
        return Stock(
            part=self.ample_parts + 1 + place,
            quantity=1 + place % 2,
            firsts=_turns(self.tickets, place, size),
            seconds=_turns(self.second_lines, second, size),
            returns=_turns(self.cancelled, returned, size),
            left=LOW_STOCK if place % 10 == 0 else 20 + place % 50,
        )


def _turns(steps: int, place: int, size: int) -> int:
    """Count how often ``steps`` steps round a circle of ``size`` pass a place."""
    return (steps - 1 - place) // size + 1 if place < steps else 0

"""Plan the tickets: which vehicle comes when, with what problem, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from random import Random

from customers.models import Vehicle
from mechanics.models import Mechanic
from tickets.models import TicketStatus as Status

from .backdating import DAY
from .jobs import FIRST_JOB, JOBS
from .people import LINKED_MECHANIC, MECHANICS, RETIRED_MECHANIC
from .shop_events import LAST_DAY_OF_RETIRED
from .tickets import FirstVisit, Shop, Visit
from .vehicles import NEVER_SERVICED

#: How many tickets end in a status, and between which minutes they are opened. The
#: later bound leaves every story the time that it needs.
ENDINGS = (
    (Status.COMPLETED, 96, -76 * DAY, -2 * DAY),
    (Status.CANCELLED, 14, -74 * DAY, -2 * DAY),
    (Status.WAITING, 10, -8 * DAY, -DAY),
    (Status.IN_PROGRESS, 16, -6 * DAY, -DAY),
    (Status.OPEN, 13, -4 * DAY, -100),
)
#: When the customer of ticket 1 opens it: yesterday in the late morning.
FIRST_TICKET_OPENED = -400
#: Which of the other tickets, counted in order of time, are for vehicle 1 too.
EARLIER_VISITS_OF_FIRST_VEHICLE = frozenset({20, 71})
#: Who is asked more often: by the order in which the mechanics were hired.
MECHANIC_WEIGHTS = (9, 7, 8, 5, 4, 3, 6, 2)


def plan_visits(
    shop: Shop, vehicles: list[Vehicle], mechanics: list[Mechanic]
) -> list[Visit]:
    """Plan the tickets; their ids follow the order in which they are opened.

    Only ticket 1, the one that a first look starts with, is among the latest.
    """
    rng = shop.rng
    cars = _take_turns(rng, vehicles)
    visits: list[Visit] = [_first_visit(shop, vehicles[0], mechanics)]
    for number, (begins, ending) in enumerate(_openings(rng), start=2):
        crew, stand_in = _crew(rng, begins, mechanics)
        first_again = number in EARLIER_VISITS_OF_FIRST_VEHICLE
        visits.append(
            Visit(
                number=number,
                begins=begins,
                ending=ending,
                vehicle=vehicles[0] if first_again else next(cars),
                job=rng.choice(JOBS),
                crew=crew,
                stand_in=stand_in,
                shop=shop,
            )
        )
    return visits


def _first_visit(shop: Shop, vehicle: Vehicle, mechanics: list[Mechanic]) -> FirstVisit:
    technician = mechanics[LINKED_MECHANIC - 1]
    return FirstVisit(
        number=1,
        begins=FIRST_TICKET_OPENED,
        ending=Status.OPEN,
        vehicle=vehicle,
        job=FIRST_JOB,
        crew=[technician],
        stand_in=technician,
        shop=shop,
    )


def _openings(rng: Random) -> list[tuple[int, Status]]:
    return sorted(
        (rng.randint(earliest, latest), ending)
        for ending, how_many, earliest, latest in ENDINGS
        for _ in range(how_many)
    )


def _take_turns(rng: Random, vehicles: list[Vehicle]) -> Iterator[Vehicle]:
    """Let the vehicles come in turn, so that none has two tickets at a time."""
    regulars = [car for car in vehicles[1:] if car.pk not in NEVER_SERVICED]
    rng.shuffle(regulars)
    return cycle(regulars)


def _crew(
    rng: Random, begins: int, mechanics: list[Mechanic]
) -> tuple[list[Mechanic], Mechanic]:
    """Draw one or two mechanics, and another one who may take over."""
    there = [mechanic for mechanic in mechanics if _works(mechanic, begins)]
    weights = [MECHANIC_WEIGHTS[mechanic.pk - 1] for mechanic in there]
    [lead] = rng.choices(there, weights)
    others = [mechanic for mechanic in there if mechanic != lead]
    second, stand_in = rng.sample(others, 2)
    return ([lead, second] if rng.random() < 0.35 else [lead]), stand_in


def _works(mechanic: Mechanic, minute: int) -> bool:
    """Return whether a mechanic works here in that minute and for some days after."""
    hired = -MECHANICS[mechanic.pk - 1][2] * DAY
    leaving = mechanic.pk == RETIRED_MECHANIC
    return hired < minute and not (leaving and minute > LAST_DAY_OF_RETIRED - 8 * DAY)

"""Plan the tickets: vehicle, time, problem, crew and final status."""

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
from .tickets import FirstTicketStory, Shop, TicketStory
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
EARLIER_TICKETS_OF_FIRST_VEHICLE = frozenset({20, 71})
#: How often each mechanic is assigned, in the order in which they were hired.
MECHANIC_WEIGHTS = (9, 7, 8, 5, 4, 3, 6, 2)


def plan_tickets(
    shop: Shop, vehicles: list[Vehicle], mechanics: list[Mechanic]
) -> list[TicketStory]:
    """Plan the tickets; their ids follow the order in which they are opened.

    Only ticket 1, the one that a first look starts with, is among the latest.
    """
    rng = shop.rng
    next_vehicles = _take_turns(rng, vehicles)
    stories: list[TicketStory] = [_first_story(shop, vehicles[0], mechanics)]
    for number, (begins, ending) in enumerate(_draw_openings(rng), start=2):
        crew, stand_in = _draw_crew(rng, begins, mechanics)
        first_again = number in EARLIER_TICKETS_OF_FIRST_VEHICLE
        stories.append(
            TicketStory(
                number=number,
                begins=begins,
                ending=ending,
                vehicle=vehicles[0] if first_again else next(next_vehicles),
                job=rng.choice(JOBS),
                crew=crew,
                stand_in=stand_in,
                shop=shop,
            )
        )
    return stories


def _first_story(
    shop: Shop, vehicle: Vehicle, mechanics: list[Mechanic]
) -> FirstTicketStory:
    technician = mechanics[LINKED_MECHANIC - 1]
    return FirstTicketStory(
        number=1,
        begins=FIRST_TICKET_OPENED,
        ending=Status.OPEN,
        vehicle=vehicle,
        job=FIRST_JOB,
        crew=[technician],
        stand_in=technician,
        shop=shop,
    )


def _draw_openings(rng: Random) -> list[tuple[int, Status]]:
    return sorted(
        (rng.randint(earliest, latest), ending)
        for ending, how_many, earliest, latest in ENDINGS
        for _ in range(how_many)
    )


def _take_turns(rng: Random, vehicles: list[Vehicle]) -> Iterator[Vehicle]:
    """Return the vehicles in turn, so that none has two tickets at a time."""
    regulars = [vehicle for vehicle in vehicles[1:] if vehicle.pk not in NEVER_SERVICED]
    rng.shuffle(regulars)
    return cycle(regulars)


def _draw_crew(
    rng: Random, begins: int, mechanics: list[Mechanic]
) -> tuple[list[Mechanic], Mechanic]:
    """Draw one or two mechanics, and another one who may take over."""
    employed = [mechanic for mechanic in mechanics if _is_employed(mechanic, begins)]
    weights = [MECHANIC_WEIGHTS[mechanic.pk - 1] for mechanic in employed]
    [lead] = rng.choices(employed, weights)
    others = [mechanic for mechanic in employed if mechanic != lead]
    second, stand_in = rng.sample(others, 2)
    return ([lead, second] if rng.random() < 0.35 else [lead]), stand_in


def _is_employed(mechanic: Mechanic, minute: int) -> bool:
    """Return whether a mechanic works here in that minute and for some days after."""
    hired = -MECHANICS[mechanic.pk - 1][2] * DAY
    leaving = mechanic.pk == RETIRED_MECHANIC
    return hired < minute and not (leaving and minute > LAST_DAY_OF_RETIRED - 8 * DAY)

"""Simulate a ticket, from opening it to its final status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from customers.models import Vehicle
from inventory.models import Part
from inventory.services import InsufficientStock
from mechanic_shop.accounts.models import User
from mechanics.models import Mechanic
from tickets import services
from tickets.models import ServiceTicket, TicketPart
from tickets.models import TicketStatus as Status

from .backdating import DAY
from .jobs import (
    CANCEL_NOTES,
    COUNTER_NOTES,
    FOLLOW_UP_NOTES,
    REOPEN_NOTE,
    SECOND_ROLES,
    WAITING_NOTES,
    Job,
)
from .parts import WARRANTY_MONTHS
from .people import Staff

MINUTES_PER_MILE = 18
MARKUPS = (Decimal(30), Decimal(30), Decimal(30), Decimal(25), Decimal("42.50"))
PRIORITIES, PRIORITY_WEIGHTS = (1, 2, 3, 4, 5), (1, 3, 9, 3, 1)
#: A part that is sometimes installed by mistake.
WRONG_PART = "FLT-2401"
#: Only tickets opened before this minute have the time for detours.
LONG_AGO = -12 * DAY


@dataclass
class Shop:
    """What all stories need: people, parts, and the random generator."""

    staff: Staff
    parts: dict[str, Part]
    rng: Random


@dataclass
class TicketStory:
    """The steps of a ticket that ends in the status ``ending``."""

    number: int
    begins: int
    ending: Status
    vehicle: Vehicle
    job: Job
    crew: list[Mechanic]
    stand_in: Mechanic
    shop: Shop

    def steps(self) -> Iterator[int]:
        """Open the ticket and run the steps that lead to its final status."""
        self.open()
        yield self.between(10, 60)
        if self.happens(0.3):
            self.note(COUNTER_NOTES, by=self.advisor)
        yield from STEPS_BY_ENDING[self.ending](self)

    # --- Steps by final status --------------------------------------------------------

    def stay_open(self) -> Iterator[int]:
        if self.happens(0.5):
            self.assign()
        if self.happens(0.4):
            yield self.between(5, 25)
            services.update_ticket(ticket=self.ticket, by=self.advisor, priority=2)

    def be_in_progress(self) -> Iterator[int]:
        yield from self.start()
        if self.job.parts:
            self.install(*self.job.parts[0])

    def be_waiting(self) -> Iterator[int]:
        yield from self.start()
        yield self.between(20, 60)
        self.log_minutes(extra=-self.job.minutes // 2)
        self.move(Status.WAITING)
        self.note(WAITING_NOTES, visible_to_customer=True)

    def be_completed(self) -> Iterator[int]:
        yield from self.start()
        if self.happens(0.12):
            yield from self.replace_mechanic()
        if self.begins < LONG_AGO and self.happens(0.3):
            yield from self.pause()
        yield from self.repair()
        self.log_minutes()
        yield self.between(5, 40)
        self.move(Status.COMPLETED)
        if self.begins < LONG_AGO and self.happens(0.08):
            yield from self.reopen()
        if self.happens(0.5):
            yield self.between(30, 300)
            self.note(FOLLOW_UP_NOTES, by=self.advisor, visible_to_customer=True)
        yield self.minutes_until_pickup
        services.hand_over(ticket=self.ticket, by=self.advisor)

    def be_cancelled(self) -> Iterator[int]:
        if self.happens(0.6):
            yield from self.start()
            if self.happens(0.7):
                yield from self.repair()
            yield self.between(30, 200)
        self.move(Status.CANCELLED, by=self.advisor)
        yield self.between(1, 5)
        self.note(CANCEL_NOTES, by=self.advisor, visible_to_customer=True)

    @property
    def minutes_until_pickup(self) -> int:
        """From an hour to two days."""
        return 60 + 37 * self.number * self.number % 2_880

    # --- Parts of them ----------------------------------------------------------------

    def start(self) -> Iterator[int]:
        self.assign()
        yield self.between(5, 40)
        self.move(Status.IN_PROGRESS)
        yield self.between(10, 50)
        services.add_note(ticket=self.ticket, by=self.worker, text=self.job.finding)

    def repair(self) -> Iterator[int]:
        if self.happens(0.08) and self.install(WRONG_PART, 1):
            yield self.between(5, 20)
            self.remove(WRONG_PART)
        for part_number, quantity in self.job.parts:
            yield self.between(5, 30)
            self.install(part_number, quantity)
        if self.happens(0.3):
            yield self.between(5, 10)
            self.use_one_more_unit()
        yield self.job.minutes

    def pause(self) -> Iterator[int]:
        yield self.between(5, 30)
        self.move(Status.WAITING)
        self.note(WAITING_NOTES, visible_to_customer=True)
        yield self.between(DAY // 2, 3 * DAY)
        self.move(Status.IN_PROGRESS)

    def replace_mechanic(self) -> Iterator[int]:
        """Somebody else takes over from the first mechanic."""
        yield self.between(10, 60)
        services.remove_mechanic(
            ticket=self.ticket, mechanic=self.crew[0], by=self.advisor
        )
        self.crew[0] = self.stand_in
        services.assign_mechanic(
            ticket=self.ticket, mechanic=self.stand_in, by=self.advisor
        )

    def reopen(self) -> Iterator[int]:
        """The customer complains, and the ticket is reopened."""
        yield self.between(DAY, 3 * DAY)
        self.move(Status.IN_PROGRESS, by=self.advisor)
        services.add_note(
            ticket=self.ticket,
            by=self.advisor,
            text=REOPEN_NOTE,
            visible_to_customer=True,
        )
        yield self.between(30, 120)
        self.log_minutes(extra=30)
        yield self.between(5, 20)
        self.move(Status.COMPLETED)

    # --- Single changes ---------------------------------------------------------------

    def open(self) -> None:
        odometer = (self.vehicle.mileage or 0) + self.begins // MINUTES_PER_MILE
        [priority] = self.shop.rng.choices(PRIORITIES, PRIORITY_WEIGHTS)
        services.open_ticket(
            id=self.number,
            vehicle=self.vehicle,
            by=self.opener,
            priority=priority,
            problem_description=self.job.problem,
            odometer_miles=odometer,
        )

    def assign(self) -> None:
        roles = ["Technician", self.shop.rng.choice(SECOND_ROLES)]
        for mechanic, role in zip(self.crew, roles, strict=False):
            services.assign_mechanic(
                ticket=self.ticket, mechanic=mechanic, role=role, by=self.advisor
            )

    def move(self, status: Status, by: User | None = None) -> None:
        services.move_ticket(ticket=self.ticket, status=status, by=by or self.worker)

    def note(
        self,
        texts: tuple[str, ...],
        *,
        by: User | None = None,
        visible_to_customer: bool = False,
    ) -> None:
        services.add_note(
            ticket=self.ticket,
            by=by or self.worker,
            text=self.shop.rng.choice(texts),
            visible_to_customer=visible_to_customer,
        )

    def install(self, part_number: str, quantity: int) -> bool:
        """Install a part, or write a note if there is not enough stock."""
        part = self.shop.parts[part_number]
        try:
            services.install_part(
                ticket=self.ticket,
                part=part,
                quantity_used=quantity,
                by=self.worker,
                markup_percentage=self.shop.rng.choice(MARKUPS),
                warranty_months=WARRANTY_MONTHS.get(part.category),
                installed_by=self.crew[0],
            )
        except InsufficientStock:
            self.note((f"{part.name} is short, one is on order.",))
            return False
        return True

    def remove(self, part_number: str) -> None:
        part = self.shop.parts[part_number]
        services.remove_part(ticket=self.ticket, part=part, by=self.worker)

    def use_one_more_unit(self) -> None:
        """Use one more unit of the last fluid on the ticket."""
        fluids = TicketPart.objects.filter(
            ticket_id=self.number, part__category="Fluids"
        )
        line = fluids.select_related("part").order_by("-pk").first()
        if line is not None:
            services.change_installed_part(
                ticket=self.ticket,
                part=line.part,
                by=self.worker,
                quantity_used=line.quantity_used + 1,
            )

    def log_minutes(self, extra: int = 0) -> None:
        for mechanic in self.crew:
            services.change_assignment(
                ticket=self.ticket,
                mechanic=mechanic,
                by=self.get_login(mechanic),
                minutes_worked=self.job.minutes + extra + self.between(0, 3) * 5,
            )

    # --- Who and when -----------------------------------------------------------------

    @property
    def ticket(self) -> ServiceTicket:
        """An unsaved instance with the id; the services load and lock the row."""
        return ServiceTicket(pk=self.number)

    @property
    def advisor(self) -> User:
        return self.shop.staff.advisor

    @property
    def worker(self) -> User:
        return self.get_login(self.crew[0])

    @property
    def opener(self) -> User:
        """Who opens the ticket: the advisor, or sometimes the customer."""
        user = self.vehicle.customer.user
        return user if user is not None and self.happens(0.4) else self.advisor

    def get_login(self, mechanic: Mechanic) -> User:
        """Return the mechanic's login, or the advisor's for mechanics without one."""
        technician = self.shop.staff.technician
        return technician if mechanic.belongs_to(technician) else self.advisor

    def happens(self, chance: float) -> bool:
        return self.shop.rng.random() < chance

    def between(self, least: int, most: int) -> int:
        return self.shop.rng.randint(least, most)


STEPS_BY_ENDING: dict[Status, Callable[[TicketStory], Iterator[int]]] = {
    Status.OPEN: TicketStory.stay_open,
    Status.IN_PROGRESS: TicketStory.be_in_progress,
    Status.WAITING: TicketStory.be_waiting,
    Status.COMPLETED: TicketStory.be_completed,
    Status.CANCELLED: TicketStory.be_cancelled,
}


class FirstTicketStory(TicketStory):
    """Ticket 1, at which new users look first: open, with nothing installed."""

    def steps(self) -> Iterator[int]:
        """The customer opens the ticket, and the advisor replies."""
        self.open()
        yield 25
        self.assign()
        yield 5
        services.add_note(
            ticket=self.ticket,
            by=self.advisor,
            text="Thank you, we have a bay for you first thing in the morning.",
            visible_to_customer=True,
        )
        services.add_note(ticket=self.ticket, by=self.advisor, text=self.job.finding)

    @property
    def opener(self) -> User:
        user = self.vehicle.customer.user
        assert user is not None
        return user

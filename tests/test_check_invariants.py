"""``manage.py check_invariants``: silent about the services, loud about all others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.services import change_owner, delete_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.models import Part, StockMovement
from inventory.services import adjust_stock
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.core.registry import invariants
from mechanics.tests.factories import MechanicFactory
from tickets.models import (
    ServiceTicket,
    TicketEvent,
    TicketEventKind,
    TicketPart,
)
from tickets.services import (
    add_note,
    assign_mechanic,
    change_assignment,
    change_installed_part,
    edit_mechanics,
    hand_over,
    install_part,
    move_ticket,
    open_ticket,
    remove_mechanic,
    remove_part,
    update_ticket,
)
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

Kind = TicketEventKind
Status = ServiceTicket.Status

SWITCHES = {
    "sqlite": ("PRAGMA ignore_check_constraints = 1", "= 0"),
    "mysql": ("SET check_constraint_checks = 0", "= 1"),
}


def check_invariants() -> str:
    """Run the command and return what it says."""
    output = StringIO()
    call_command("check_invariants", stdout=output)
    return output.getvalue()


def violations() -> list[str]:
    """Run the command where it has to fail, and return its lines."""
    with pytest.raises(CommandError) as failure:
        check_invariants()
    assert failure.value.returncode == 1
    return str(failure.value).splitlines()


@contextmanager
def constraints_off() -> Iterator[None]:
    """Let rows in that the database would refuse, where it can be told to."""
    if connection.vendor == "mysql" and not connection.mysql_is_mariadb:  # type: ignore[attr-defined]
        pytest.skip("MySQL cannot switch its check constraints off.")
    off, on = SWITCHES[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(off)
        try:
            yield
        finally:
            cursor.execute(off.split("=")[0] + on)


@pytest.fixture
def part(db: None) -> Part:
    return PartFactory.create(quantity_in_stock=10)


@pytest.fixture
def ticket(owner: User) -> ServiceTicket:
    return new_ticket(owner)


@pytest.fixture
def line(owner: User, ticket: ServiceTicket, part: Part) -> TicketPart:
    return install_part(ticket=ticket, part=part, quantity_used=3, by=owner)


def new_ticket(by: User) -> ServiceTicket:
    return open_ticket(
        vehicle=VehicleFactory.create(),
        by=by,
        status=Status.IN_PROGRESS,
        problem_description="It rattles.",
        odometer_miles=45_000,
    )


def work_on(ticket: ServiceTicket, by: User) -> None:
    """Let everything happen on a ticket that may happen on an open one."""
    kept, gone = PartFactory.create(), PartFactory.create()
    mechanic, other = MechanicFactory.create(), MechanicFactory.create()
    assign_mechanic(ticket=ticket, mechanic=mechanic, by=by)
    change_assignment(ticket=ticket, mechanic=mechanic, by=by, minutes_worked=30)
    edit_mechanics(ticket=ticket, add_ids=[other.pk], remove_ids=[], by=by)
    remove_mechanic(ticket=ticket, mechanic=other, by=by)
    install_part(ticket=ticket, part=kept, quantity_used=4, by=by)
    change_installed_part(ticket=ticket, part=kept, by=by, quantity_used=2)
    install_part(ticket=ticket, part=gone, quantity_used=1, by=by)
    remove_part(ticket=ticket, part=gone, by=by)
    adjust_stock(part=kept, adjustment=-1, by=by)
    update_ticket(ticket=ticket, by=by, priority=1)


def live_through_everything(by: User) -> None:
    """Run a ticket that is reopened and completed again, and a cancelled one."""
    completed, cancelled = new_ticket(by), new_ticket(by)
    work_on(completed, by)
    move_ticket(ticket=completed, status=Status.COMPLETED, by=by)
    update_ticket(ticket=completed, by=by, status=Status.IN_PROGRESS, priority=5)
    install_part(ticket=completed, part=PartFactory.create(), quantity_used=1, by=by)
    update_ticket(ticket=completed, by=by, status=Status.COMPLETED, priority=2)
    add_note(ticket=completed, by=by, text="It was the exhaust.")
    hand_over(ticket=completed, by=by)
    change_owner(vehicle=completed.vehicle, customer=CustomerFactory.create())
    work_on(cancelled, by)
    move_ticket(ticket=cancelled, status=Status.CANCELLED, by=by)
    work_on(new_ticket(by), by)


class TestCheckInvariants:
    def test_praises_an_empty_shop(self) -> None:
        assert check_invariants() == (
            "All invariants hold: 0 parts, 0 tickets checked.\n"
        )

    def test_praises_whatever_the_services_did(self, owner: User) -> None:
        live_through_everything(owner)
        done = set(TicketEvent.objects.order_by().values_list("kind", flat=True))

        said = check_invariants()

        assert said == "All invariants hold: 7 parts, 3 tickets checked.\n"
        assert done == set(Kind)

    @pytest.mark.xdist_group("demo shop")
    def test_praises_the_demo_shop(self) -> None:
        call_command("seed_demo", "--force", stdout=StringIO())

        said = check_invariants()

        assert said == "All invariants hold: 60 parts, 150 tickets checked.\n"

    def test_leaves_tickets_alone_that_have_no_events(self) -> None:
        TicketFactory.create(closed=True)

        assert "1 tickets checked" in check_invariants()

    def test_asks_no_more_questions_where_there_is_more(self, owner: User) -> None:
        with CaptureQueriesContext(connection) as few:
            check_invariants()
        for _ in range(3):
            live_through_everything(owner)

        with CaptureQueriesContext(connection) as many:
            check_invariants()

        assert len(many) == len(few)

    def test_only_counts_what_nobody_would_read(self, owner: User) -> None:
        part = PartFactory.create(quantity_in_stock=200)
        for _ in range(102):
            adjust_stock(part=part, adjustment=-1, by=owner)
        part.movements.update(quantity_after=0)

        lines = violations()

        assert len(lines) == 101
        assert lines[-1] == "... and 3 more."

    def test_runs_the_invariants_that_an_app_adds(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        added = [*invariants, lambda: iter(["Bay 7 holds two vehicles."])]
        monkeypatch.setattr(invariants, "_items", added)

        assert violations() == ["Bay 7 holds two vehicles."]

    def test_lists_violations_of_different_kinds_together(
        self, line: TicketPart
    ) -> None:
        Part.objects.update(quantity_in_stock=1)
        TicketPart.objects.update(quantity_used=1)

        lines = violations()

        assert [sentence.split()[0] for sentence in lines] == ["Part", "Ticket"]


class TestTheCheckOfStock:
    def test_sees_a_negative_one(self, part: Part) -> None:
        if connection.vendor == "mysql":
            pytest.skip("The column is unsigned, so it cannot be negative.")
        with constraints_off():
            Part.objects.update(quantity_in_stock=-1)

        assert f"Part {part.pk} has -1 in stock, fewer than none." in violations()

    def test_sees_one_that_no_movement_explains(self, part: Part) -> None:
        Part.objects.update(quantity_in_stock=F("quantity_in_stock") + 1)

        assert violations() == [
            f"Part {part.pk} has 11 in stock, but its movements add up to 10."
        ]

    def test_sees_one_without_any_movement(self, part: Part) -> None:
        part.movements.all().delete()

        assert violations() == [
            f"Part {part.pk} has 10 in stock, but its movements add up to 0."
        ]

    def test_sees_movements_that_add_up_to_less_than_none(self, part: Part) -> None:
        part.movements.update(delta=-10)

        assert violations()[0] == (
            f"Part {part.pk} has 10 in stock, but its movements add up to -10."
        )


class TestTheCheckOfTheLedger:
    def test_sees_a_first_movement_that_does_not_start_at_none(
        self, part: Part
    ) -> None:
        movement = part.movements.get()
        part.movements.update(delta=-10)

        assert violations()[1:] == [
            f"Movement {movement.pk} of part {part.pk} says that 10 were left,"
            " but with the movement before it there were -10."
        ]

    def test_sees_a_movement_that_left_another_number(
        self, owner: User, part: Part
    ) -> None:
        movement = adjust_stock(part=part, adjustment=-2, by=owner)
        last = adjust_stock(part=part, adjustment=-1, by=owner)
        part.movements.filter(pk=movement.pk).update(quantity_after=9)

        assert violations() == [
            f"Movement {movement.pk} of part {part.pk} says that 9 were left,"
            " but with the movement before it there were 8.",
            f"Movement {last.pk} of part {part.pk} says that 7 were left,"
            " but with the movement before it there were 8.",
        ]

    def test_sees_a_gap_once(self, owner: User, part: Part) -> None:
        gone = adjust_stock(part=part, adjustment=-2, by=owner)
        after = adjust_stock(part=part, adjustment=-1, by=owner)
        adjust_stock(part=part, adjustment=-1, by=owner)
        gone.delete()

        assert violations()[1:] == [
            f"Movement {after.pk} of part {part.pk} says that 7 were left,"
            " but with the movement before it there were 9."
        ]

    def test_keeps_the_parts_apart(self, owner: User, part: Part) -> None:
        other = PartFactory.create(quantity_in_stock=500)
        for each in (part, other, part):
            adjust_stock(part=each, adjustment=-1, by=owner)

        assert "All invariants hold: 2 parts" in check_invariants()


class TestTheCheckOfLines:
    def test_sees_one_that_uses_more_than_was_taken(self, line: TicketPart) -> None:
        TicketPart.objects.update(quantity_used=4)

        assert violations() == [
            f"Ticket {line.ticket_id} uses 4 of part {line.part_id},"
            " but its movements took 3."
        ]

    def test_sees_movements_without_one(self, line: TicketPart) -> None:
        TicketPart.objects.all().delete()

        assert violations() == [
            f"Ticket {line.ticket_id} uses 0 of part {line.part_id},"
            " but its movements took 3."
        ]

    def test_sees_one_without_movements(self, line: TicketPart) -> None:
        StockMovement.objects.update(ticket=None)

        assert violations() == [
            f"Ticket {line.ticket_id} uses 3 of part {line.part_id},"
            " but its movements took 0."
        ]

    def test_sees_one_that_was_returned_without_a_movement(
        self, line: TicketPart
    ) -> None:
        TicketPart.objects.update(returned_at=timezone.now())

        assert violations() == [
            f"Ticket {line.ticket_id} uses 0 of part {line.part_id},"
            " but its movements took 3."
        ]

    def test_sees_movements_on_another_ticket(
        self, owner: User, line: TicketPart
    ) -> None:
        other = new_ticket(owner)
        StockMovement.objects.filter(ticket=line.ticket).update(ticket=other)

        assert violations() == [
            f"Ticket {line.ticket_id} uses 3 of part {line.part_id},"
            " but its movements took 0.",
            f"Ticket {other.pk} uses 0 of part {line.part_id},"
            " but its movements took 3.",
        ]

    def test_sees_one_that_a_cancellation_forgot(
        self, owner: User, line: TicketPart
    ) -> None:
        move_ticket(ticket=line.ticket, status=Status.CANCELLED, by=owner)
        TicketPart.objects.update(returned_at=None)

        assert violations() == [
            f"Ticket {line.ticket_id} uses 3 of part {line.part_id},"
            " but its movements took 0.",
            f"Line {line.pk} with part {line.part_id} was not returned,"
            f" but its ticket {line.ticket_id} is cancelled.",
        ]


class TestTheCheckOfEvents:
    @pytest.mark.parametrize("end", ServiceTicket.CLOSED)
    @pytest.mark.parametrize(
        "kind",
        [
            Kind.FIELDS_CHANGED,
            Kind.MECHANIC_ASSIGNED,
            Kind.MECHANIC_REMOVED,
            Kind.ASSIGNMENT_CHANGED,
            Kind.PART_INSTALLED,
            Kind.PART_CHANGED,
            Kind.PART_REMOVED,
        ],
    )
    def test_sees_work_after_the_end(
        self, owner: User, ticket: ServiceTicket, kind: str, end: str
    ) -> None:
        move_ticket(ticket=ticket, status=end, by=owner)
        closing = ticket.events.get(kind=Kind.STATUS_CHANGED)
        late = ticket.events.create(kind=kind, by=owner)

        assert violations() == [
            f"Event {late.pk} ({kind}) is work on ticket {ticket.pk},"
            f" closed by event {closing.pk}."
        ]

    def test_sees_work_between_an_end_and_the_reopening(
        self, owner: User, ticket: ServiceTicket
    ) -> None:
        move_ticket(ticket=ticket, status=Status.COMPLETED, by=owner)
        late = ticket.events.create(kind=Kind.PART_REMOVED, by=owner)
        move_ticket(ticket=ticket, status=Status.IN_PROGRESS, by=owner)
        work_on(ticket, owner)

        [sentence] = violations()

        assert sentence.startswith(f"Event {late.pk} (part_removed) is work on")

    def test_does_not_take_another_tickets_end_for_this_ones(
        self, owner: User, ticket: ServiceTicket
    ) -> None:
        move_ticket(ticket=new_ticket(owner), status=Status.CANCELLED, by=owner)

        work_on(ticket, owner)

        assert "2 tickets checked" in check_invariants()

    def test_sees_a_status_that_no_event_tells(
        self, owner: User, ticket: ServiceTicket
    ) -> None:
        move_ticket(ticket=ticket, status=Status.WAITING, by=owner)
        ServiceTicket.objects.update(status=Status.OPEN)

        assert violations() == [
            f"Ticket {ticket.pk} is open, but its last status event says 'waiting'."
        ]

    def test_sees_a_status_unlike_that_of_the_opening(
        self, ticket: ServiceTicket
    ) -> None:
        ServiceTicket.objects.update(status=Status.OPEN)

        assert violations() == [
            f"Ticket {ticket.pk} is open, but its last status event says 'in_progress'."
        ]

    def test_sees_a_status_event_that_tells_nothing(
        self, owner: User, ticket: ServiceTicket
    ) -> None:
        ticket.events.create(kind=Kind.STATUS_CHANGED, by=owner)

        assert violations() == [
            f"Ticket {ticket.pk} is in_progress, but its last status event says ''."
        ]


class TestTheCheckOfTickets:
    def test_sees_a_closed_one_without_a_time(self, ticket: ServiceTicket) -> None:
        TicketEvent.objects.all().delete()
        with constraints_off():
            ServiceTicket.objects.update(status=Status.COMPLETED)

        assert violations() == [
            f"Ticket {ticket.pk} is completed, but has no closed_at."
        ]

    def test_sees_an_open_one_with_a_time(self, ticket: ServiceTicket) -> None:
        with constraints_off():
            ServiceTicket.objects.update(closed_at=timezone.now())

        assert violations() == [
            f"Ticket {ticket.pk} is in_progress, but has a closed_at."
        ]

    def test_sees_an_open_one_whose_vehicle_has_another_owner(
        self, ticket: ServiceTicket
    ) -> None:
        other = CustomerFactory.create()
        vehicle = ticket.vehicle
        type(vehicle).objects.filter(pk=vehicle.pk).update(customer=other)

        assert violations() == [
            f"Ticket {ticket.pk} is open for customer {ticket.customer_id},"
            f" but its vehicle {vehicle.pk} belongs to customer {other.pk}."
        ]

    def test_sees_a_ticket_without_a_copy_of_its_vehicle(
        self, ticket: ServiceTicket
    ) -> None:
        ServiceTicket.objects.update(vehicle_year=None)

        assert violations() == [
            f"Ticket {ticket.pk} has no copy of its vehicle: run refresh_copies."
        ]

    @pytest.mark.parametrize(
        ("copy", "value"),
        [
            ("vehicle_license_plate", "OTHER"),
            ("vehicle_vin", "1HGCM82633A004352"),
            ("vehicle_make", "Mazda"),
            ("vehicle_year", 1999),
        ],
    )
    def test_sees_an_open_one_unlike_its_vehicle(
        self, ticket: ServiceTicket, copy: str, value: object
    ) -> None:
        ServiceTicket.objects.update(**{copy: value})

        assert violations() == [
            f"Ticket {ticket.pk} is open, but its copy of vehicle {ticket.vehicle_id}"
            " is out of date: run refresh_copies."
        ]

    def test_sees_an_open_one_without_the_vin_of_its_vehicle(
        self, ticket: ServiceTicket
    ) -> None:
        vehicles = type(ticket.vehicle).objects.filter(pk=ticket.vehicle_id)
        vehicles.update(vin="1HGCM82633A004352")

        [violation] = violations()

        assert "is out of date" in violation

    def test_sees_a_plate_of_an_erased_customer(self) -> None:
        closed = TicketFactory.create(closed=True)
        delete_customer(customer=closed.customer)
        ServiceTicket.objects.update(vehicle_license_plate="KEPT 1")

        assert violations() == [
            f"Ticket {closed.pk} keeps plate or VIN of a customer who was erased."
        ]

    def test_sees_a_line_without_a_copy_of_its_part(self, line: TicketPart) -> None:
        TicketPart.objects.update(part_number="")

        assert violations() == [
            f"Line {line.pk} has no copy of part {line.part_id}: run refresh_copies."
        ]


class TestTheCheckOfErasedCustomers:
    @pytest.fixture
    def erased(self) -> ServiceTicket:
        closed = TicketFactory.create(closed=True)
        delete_customer(customer=closed.customer)
        return closed

    def test_sees_personal_data(self, erased: ServiceTicket) -> None:
        type(erased.customer).objects.update(phone="555-0100")

        assert violations() == [
            f"Customer {erased.customer_id} was erased, but has personal data."
        ]

    @pytest.mark.parametrize("kept", [{"license_plate": "X 1"}, {"vin": "X1"}])
    def test_sees_a_plate_or_vin(
        self, erased: ServiceTicket, kept: dict[str, str]
    ) -> None:
        type(erased.vehicle).objects.update(**kept)

        assert violations() == [
            f"Vehicle {erased.vehicle_id} keeps plate or VIN of customer"
            f" {erased.customer_id}, who was erased."
        ]


class TestTheCheckOfHandedOverTickets:
    def test_sees_an_unfinished_one(self, ticket: ServiceTicket) -> None:
        ServiceTicket.objects.update(handed_over_at=timezone.now())

        assert violations() == [
            f"Ticket {ticket.pk} was handed over, but is in_progress:"
            " run refresh_copies."
        ]

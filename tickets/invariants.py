"""Invariants of tickets: status, events, parts and movements agree."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    F,
    Max,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
    When,
    Window,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from mechanic_shop.core.registry import checked_rows, invariants

from .models import ServiceTicket, TicketEvent, TicketEventKind, TicketPart

Kind = TicketEventKind
Status = ServiceTicket.Status

#: Events that no closed ticket may get.
WORK = (
    Kind.FIELDS_CHANGED,
    Kind.MECHANIC_ASSIGNED,
    Kind.MECHANIC_REMOVED,
    Kind.ASSIGNMENT_CHANGED,
    Kind.PART_INSTALLED,
    Kind.PART_CHANGED,
    Kind.PART_REMOVED,
)

# A subquery per line might use the index on ticket, which is fast, or the one on part,
# which is slow. Adding up both in one pass is always fast.
UNEQUAL_LINES = """
    SELECT ticket_id, part_id, SUM(taken), SUM(used)
    FROM (
        SELECT ticket_id, part_id, -delta AS taken, 0 AS used
        FROM inventory_stockmovement
        WHERE ticket_id IS NOT NULL
        UNION ALL
        SELECT ticket_id, part_id, 0,
            CASE WHEN returned_at IS NULL THEN quantity_used ELSE 0 END
        FROM tickets_ticketpart
    ) AS taken_and_used
    GROUP BY ticket_id, part_id
    HAVING SUM(taken) <> SUM(used)
    ORDER BY ticket_id, part_id
"""

checked_rows.add(("tickets", ServiceTicket))


@invariants.add
def lines_differ_from_movements() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(UNEQUAL_LINES)
        for ticket, part, taken, used in cursor:
            yield (
                f"Ticket {ticket} uses {int(used)} of part {part},"
                f" but its movements took {int(taken)}."
            )


@invariants.add
def unreturned_lines_of_cancelled_tickets() -> Iterator[str]:
    lines = TicketPart.objects.filter(
        ticket__status=Status.CANCELLED, returned_at=None
    ).order_by("pk")
    for pk, ticket, part in lines.values_list("pk", "ticket_id", "part_id").iterator():
        yield (
            f"Line {pk} with part {part} was not returned,"
            f" but its ticket {ticket} is cancelled."
        )


@invariants.add
def work_on_closed_tickets() -> Iterator[str]:
    """Find work whose ticket, by the events before it, was closed at that time."""
    is_move = Q(kind=Kind.STATUS_CHANGED)
    is_end = is_move & Q(detail__to__in=[str(end) for end in ServiceTicket.CLOSED])
    is_late = Q(kind__in=WORK, ended=F("moved"))
    events = (
        TicketEvent.objects.filter(kind__in=(Kind.STATUS_CHANGED, *WORK))
        .annotate(moved=_last_event(is_move), ended=_last_event(is_end))
        # A filter by kind alone would remove the status changes from the window.
        .annotate(late=Case(When(is_late, then=True), default=False))
        .filter(late=True)
        .order_by("pk")
        .values_list("pk", "kind", "ticket_id", "ended")
    )
    for pk, kind, ticket, end in events.iterator():
        yield f"Event {pk} ({kind}) is work on ticket {ticket}, closed by event {end}."


def _last_event(condition: Q) -> Window:
    """Find the last such event of the same ticket, up to the event itself."""
    pk = Case(When(condition, then=F("pk")), output_field=BigIntegerField())
    return Window(Max(pk), partition_by=F("ticket_id"), order_by="pk")


@invariants.add
def status_differs_from_events() -> Iterator[str]:
    status = Coalesce(
        KeyTextTransform("to", "detail"),
        KeyTextTransform("status", "detail"),
        Value(""),
        output_field=TextField(),
    )
    moves = TicketEvent.objects.filter(
        ticket=OuterRef("pk"), kind__in=(Kind.OPENED, Kind.STATUS_CHANGED)
    ).order_by("-pk")
    tickets = (
        ServiceTicket.objects.annotate(
            recorded=Subquery(moves.values(recorded=status)[:1])
        )
        .exclude(recorded=None)
        .exclude(recorded=F("status"))
        .order_by("pk")
    )
    for pk, present, recorded in tickets.values_list(
        "pk", "status", "recorded"
    ).iterator():
        yield f"Ticket {pk} is {present}, but its last status event says {recorded!r}."


@invariants.add
def closed_at_contradicts_status() -> Iterator[str]:
    is_closed = Q(status__in=ServiceTicket.CLOSED)
    tickets = ServiceTicket.objects.filter(
        is_closed & Q(closed_at=None) | ~is_closed & ~Q(closed_at=None)
    ).order_by("pk")
    for pk, status, at in tickets.values_list("pk", "status", "closed_at").iterator():
        has = "has no closed_at" if at is None else "has a closed_at"
        yield f"Ticket {pk} is {status}, but {has}."


@invariants.add
def tickets_without_a_copy_of_their_vehicle() -> Iterator[str]:
    tickets = ServiceTicket.objects.filter(vehicle_year=None).order_by("pk")
    for pk in tickets.values_list("pk", flat=True).iterator():
        yield f"Ticket {pk} has no copy of its vehicle: run refresh_copies."


@invariants.add
def open_tickets_unlike_their_vehicle() -> Iterator[str]:
    tickets = ServiceTicket.objects.unlike_their_vehicle().exclude(vehicle_year=None)
    for pk, vehicle in tickets.order_by("pk").values_list("pk", "vehicle").iterator():
        yield (
            f"Ticket {pk} is open, but its copy of vehicle {vehicle} is out of date:"
            " run refresh_copies."
        )


@invariants.add
def lines_without_a_copy_of_their_part() -> Iterator[str]:
    lines = TicketPart.objects.filter(part_number="").order_by("pk")
    for pk, part in lines.values_list("pk", "part_id").iterator():
        yield f"Line {pk} has no copy of part {part}: run refresh_copies."


@invariants.add
def copies_of_erased_customers() -> Iterator[str]:
    tickets = ServiceTicket.objects.naming_the_erased().order_by("pk")
    for pk in tickets.values_list("pk", flat=True).iterator():
        yield f"Ticket {pk} keeps plate or VIN of a customer who was erased."


@invariants.add
def unfinished_tickets_that_were_handed_over() -> Iterator[str]:
    tickets = ServiceTicket.objects.exclude(handed_over_at=None).exclude(
        status=Status.COMPLETED
    )
    for pk, status in tickets.order_by("pk").values_list("pk", "status").iterator():
        yield f"Ticket {pk} was handed over, but is {status}: run refresh_copies."


@invariants.add
def open_tickets_of_another_owner() -> Iterator[str]:
    tickets = (
        ServiceTicket.objects.still_open()
        .exclude(vehicle__customer=F("customer"))
        .order_by("pk")
        .values_list("pk", "customer_id", "vehicle_id", "vehicle__customer_id")
    )
    for pk, customer, vehicle, owner in tickets.iterator():
        yield (
            f"Ticket {pk} is open for customer {customer},"
            f" but its vehicle {vehicle} belongs to customer {owner}."
        )

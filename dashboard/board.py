"""The work board: current tickets in a column for each status, with buttons."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Prefetch, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone

from mechanic_shop.accounts.models import User
from mechanic_shop.admin import user_of
from mechanics.models import Mechanic
from tickets.admin.status_actions import TicketStatusActionsMixin
from tickets.admin.summary import PRIORITY_WORDS
from tickets.models import (
    ServiceTicket,
    ServiceTicketQuerySet,
    TicketMechanic,
    TicketStatus,
)
from tickets.permissions import required_permissions

from . import links

Status = TicketStatus

COLUMNS = (Status.OPEN, Status.IN_PROGRESS, Status.WAITING, Status.COMPLETED)
#: How many cards a column shows; the rest is in the list.
MAX_CARDS = 20
MINE = "mine"
PRIORITIES = {str(number): word for number, word in PRIORITY_WORDS.items()}

SEE_VEHICLES = "customers.view_vehicle"
SEE_CUSTOMERS = "customers.view_customer"
SEE_MECHANICS = "tickets.view_ticketmechanic"

COLUMN_ICONS = {
    Status.OPEN: "inbox",
    Status.IN_PROGRESS: "build",
    Status.WAITING: "hourglass_empty",
    Status.COMPLETED: "key",
}
COLUMN_HINTS = {
    Status.OPEN: "No ticket waits for its start.",
    Status.IN_PROGRESS: "Nobody is at work on a ticket.",
    Status.WAITING: "Nothing is held up.",
    Status.COMPLETED: "No finished vehicle waits for its customer.",
}


@dataclass(frozen=True)
class Move:
    """A button on a card."""

    #: A status, or ``HAND_OVER``.
    target: str
    label: str
    icon: str


#: What a button on a card posts for a vehicle that its customer takes along.
HAND_OVER = "handed_over"

START = Move(Status.IN_PROGRESS, "Start", "play_arrow")
RESUME = Move(Status.IN_PROGRESS, "Resume", "play_arrow")
REOPEN = Move(Status.IN_PROGRESS, "Reopen", "undo")
PAUSE = Move(Status.WAITING, "Pause", "pause")
COMPLETE = Move(Status.COMPLETED, "Complete", "check")
GIVE_BACK = Move(HAND_OVER, "Hand over", "key")

#: Without cancelling, which is final: the ticket's own page asks for confirmation.
MOVES: dict[str, tuple[Move, ...]] = {
    Status.OPEN: (START,),
    Status.IN_PROGRESS: (PAUSE, COMPLETE),
    Status.WAITING: (RESUME, COMPLETE),
    Status.COMPLETED: (GIVE_BACK, REOPEN),
}


@dataclass(frozen=True)
class BoardFilters:
    """The filters of the board; an empty value does not filter."""

    mechanic: str = ""
    priority: str = ""

    @property
    def as_dict(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}

    @property
    def query(self) -> str:
        return urlencode(self.as_dict)

    def apply(self, tickets: ServiceTicketQuerySet, user: User) -> Any:
        """Filter the tickets; the join adds no duplicates: a mechanic is on it once."""
        if self.priority:
            tickets = tickets.filter(priority=int(self.priority))
        if self.mechanic == MINE:
            tickets = tickets.filter(ticket_mechanics__mechanic__user=user)
        elif self.mechanic:
            tickets = tickets.filter(ticket_mechanics__mechanic=int(self.mechanic))
        return tickets


@dataclass(frozen=True)
class Card:
    ticket: ServiceTicket
    moves: list[Move]
    mechanics: list[Mechanic]
    priority: str
    age: str
    link: str


@dataclass(frozen=True)
class Column:
    status: TicketStatus
    icon: str
    hint: str
    total: int
    cards: list[Card]
    link: str

    @property
    def title(self) -> str:
        return "Ready" if self.status == Status.COMPLETED else self.status.label

    @property
    def more(self) -> int:
        return self.total - len(self.cards)


def board(request: HttpRequest, model_admin: TicketStatusActionsMixin) -> HttpResponse:
    """Show the board, or move the ticket whose button was pressed."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    page = move_card if request.method == "POST" else show_board
    return page(model_admin, request)


# --- Moving ---------------------------------------------------------------------------


def move_card(tickets: TicketStatusActionsMixin, request: HttpRequest) -> HttpResponse:
    """Move the ticket whose button was pressed, and show the board again."""
    ticket_id, _, word = request.POST.get("move", "").partition(":")
    anchor = ""
    if word not in {*COLUMNS, HAND_OVER}:
        tickets.message_user(request, "Press a button on a card.", messages.ERROR)
    elif _move(tickets, request, ticket_id, word):
        # The browser scrolls to the card in its new column and highlights it.
        anchor = f"#ticket-{ticket_id}"
    return HttpResponseRedirect(f"{request.get_full_path()}{anchor}")


def _move(
    tickets: TicketStatusActionsMixin,
    request: HttpRequest,
    ticket_id: str,
    target: str,
) -> bool:
    """Return whether the ticket moved; if it did not, a message says why."""
    moved: list[str] = []

    def move(ticket: ServiceTicket) -> str:
        if target == HAND_OVER:
            message = tickets.hand_over(request, ticket)
        else:
            message = tickets.move_ticket(request, ticket, Status(target))
        moved.append(message)
        return message

    try:
        tickets.run_service(request, ticket_id, move)
    except PermissionDenied:
        message = _refusal(target)
        tickets.message_user(request, message, messages.ERROR)
    except Http404:
        tickets.message_user(request, "This ticket is gone.", messages.ERROR)
    return bool(moved)


def _refusal(target: str) -> str:
    if target == HAND_OVER:
        return "You may not hand this vehicle over."
    return f"You may not make this ticket {Status(target).label.lower()}."


# --- Showing --------------------------------------------------------------------------


def show_board(tickets: TicketStatusActionsMixin, request: HttpRequest) -> HttpResponse:
    request.current_app = tickets.admin_site.name
    user = user_of(request)
    mechanics = _mechanics(user)
    filters = read_filters(request, mechanics)
    context = {
        **tickets.admin_site.each_context(request),
        "title": "Work board",
        "is_fullwidth": "1",
        "columns": _columns(tickets, request, filters),
        "filters": filters,
        "mechanics": mechanics,
        "priorities": PRIORITIES.items(),
        "list_link": links.changelist_url(ServiceTicket),
        "board_link": links.board_url(),
        "sees_vehicles": user.has_perm(SEE_VEHICLES),
        "sees_customers": user.has_perm(SEE_CUSTOMERS),
        "sees_mechanics": user.has_perm(SEE_MECHANICS),
        "can_open_ticket": user.has_perm("tickets.add_serviceticket"),
    }
    return TemplateResponse(request, "dashboard/board.html", context)


def _mechanics(user: User) -> list[tuple[str, str]]:
    """List the mechanics for the filter, if the user may see who works on tickets."""
    if not user.has_perm(SEE_MECHANICS):
        return []
    active = Mechanic.objects.active().order_by("full_name", "pk")
    return [(str(pk), name) for pk, name in active.values_list("pk", "full_name")]


def read_filters(
    request: HttpRequest, mechanics: list[tuple[str, str]]
) -> BoardFilters:
    mechanic = request.GET.get("mechanic", "")
    priority = request.GET.get("priority", "")
    known = {MINE, *(pk for pk, _ in mechanics)} if mechanics else set()
    return BoardFilters(
        mechanic=mechanic if mechanic in known else "",
        priority=priority if priority in PRIORITIES else "",
    )


def _columns(
    tickets: TicketStatusActionsMixin, request: HttpRequest, filters: BoardFilters
) -> list[Column]:
    """Build the columns; the number of queries does not depend on the tickets."""
    user = user_of(request)
    shown = filters.apply(ServiceTicket.objects.all(), user)
    totals, rows = (
        _totals(shown),
        {status: _load_column(shown, status) for status in COLUMNS},
    )
    if user.has_perm(SEE_MECHANICS):
        _load_mechanics(ticket for column in rows.values() for ticket in column)
    listed = _list_filters(tickets, request, filters)
    return [
        Column(
            status=status,
            icon=COLUMN_ICONS[status],
            hint=COLUMN_HINTS[status],
            total=max(totals.get(status, 0), len(rows[status])),
            cards=[_card(ticket, user) for ticket in rows[status]],
            link=links.tickets_url(status, **listed),
        )
        for status in COLUMNS
    ]


def _totals(tickets: ServiceTicketQuerySet) -> dict[str, int]:
    in_the_shop = tickets.filter(handed_over_at=None, status__in=COLUMNS)
    by_status = in_the_shop.order_by().values_list("status")
    return dict(by_status.annotate(Count("pk")))


def _load_column(
    tickets: ServiceTicketQuerySet, status: TicketStatus
) -> list[ServiceTicket]:
    """Load the first tickets of a column by urgency, completed ones by closing time."""
    if status == Status.COMPLETED:
        column = tickets.ready().order_by("-closed_at", "-pk")
    else:
        column = tickets.filter(status=status).by_urgency()
    return list(column.with_customer()[:MAX_CARDS])


def _load_mechanics(tickets: Iterable[ServiceTicket]) -> None:
    assignments = TicketMechanic.objects.select_related("mechanic").order_by("pk")
    prefetch_related_objects([*tickets], Prefetch("ticket_mechanics", assignments))


def _list_filters(
    tickets: TicketStatusActionsMixin, request: HttpRequest, filters: BoardFilters
) -> dict[str, str]:
    """Return the board's filters as query parameters of the admin's list."""
    listed = {"priority__exact": filters.priority} if filters.priority else {}
    lookup, mechanic = "ticket_mechanics__mechanic__id__exact", filters.mechanic
    if mechanic.isdecimal() and tickets.lookup_allowed(lookup, mechanic, request):
        listed[lookup] = mechanic
    return listed


def _card(ticket: ServiceTicket, user: User) -> Card:
    seen = user.has_perm(SEE_MECHANICS)
    assignments = ticket.ticket_mechanics.all() if seen else []
    return Card(
        ticket=ticket,
        moves=available_moves(ticket, user.has_perm),
        mechanics=[assignment.mechanic for assignment in assignments],
        priority=PRIORITY_WORDS[ticket.priority],
        age=format_age(ticket.closed_at or ticket.opened_at),
        link=links.change_url(ticket),
    )


def available_moves(
    ticket: ServiceTicket, has_perm: Callable[[str], bool]
) -> list[Move]:
    """List the moves that the ticket's status and the person's permissions allow."""
    return [
        move
        for move in MOVES[ticket.status]
        if _is_possible(move, ticket) and all(map(has_perm, _permissions(move, ticket)))
    ]


def _is_possible(move: Move, ticket: ServiceTicket) -> bool:
    if move.target == HAND_OVER:
        return ticket.is_ready
    return move.target in ticket.allowed_moves


def _permissions(move: Move, ticket: ServiceTicket) -> set[str]:
    if move.target == HAND_OVER:
        return {"tickets.work_ticket"}
    return required_permissions(ticket, {"status": move.target})


def format_age(moment: datetime) -> str:
    """Format how long ago something was, in its largest unit: ``3 days``, ``5 h``."""
    minutes = max(int((timezone.now() - moment).total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h"
    days = minutes // (24 * 60)
    return "1 day" if days == 1 else f"{days} days"

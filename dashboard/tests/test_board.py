"""The work board: the tickets of today in columns, moved by buttons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.models import Vehicle
from dashboard.board import (
    HAND_OVER,
    MAX_CARDS,
    MOVES,
    Column,
    available_moves,
    format_age,
)
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR, TECHNICIAN
from mechanics.models import Mechanic
from tests.support.back_office import (
    browser_of,
    make_mechanic,
    make_part,
    make_ticket,
    make_user,
    make_vehicle,
    page_of,
    post,
    queries_of,
    text_of,
)
from tickets import services
from tickets.models import ServiceTicket, TicketMechanic, TicketStatus

pytestmark = pytest.mark.django_db

INDEX = "/admin/"
BOARD = "/admin/tickets/serviceticket/board/"
Status = TicketStatus


@pytest.fixture
def workshop() -> Client:
    return browser_of(make_user("tina", TECHNICIAN))


def columns_of(client: Client, **filters: str) -> dict[str, Column]:
    columns = client.get(BOARD, filters).context["columns"]
    return {column.status: column for column in columns}


def shown(client: Client, **filters: str) -> dict[str, list[int]]:
    return {
        status: [card.ticket.pk for card in column.cards]
        for status, column in columns_of(client, **filters).items()
    }


def press(
    client: Client, ticket: ServiceTicket, status: str, path: str = BOARD
) -> tuple[Any, str]:
    """Press a button on a card; return the answer and what the board says then."""
    return post(client, path, {"move": f"{ticket.pk}:{status}"})


def complete(ticket: ServiceTicket, by: User) -> None:
    for status in ("in_progress", "completed"):
        services.move_ticket(ticket=ticket, status=status, by=by)


def fill(vehicle: Vehicle, mechanic: Mechanic, how_many: int) -> None:
    """Put tickets of every status of the board into the shop, with a mechanic each."""
    statuses = [Status.OPEN, Status.IN_PROGRESS, Status.WAITING, Status.COMPLETED]
    tickets = ServiceTicket.objects.bulk_create(
        ServiceTicket(
            vehicle=vehicle,
            customer_id=vehicle.customer_id,
            status=statuses[number % 4],
            closed_at=timezone.now() if number % 4 == 3 else None,
            problem_description="It squeaks.",
            odometer_miles=1000,
        )
        for number in range(how_many)
    )
    TicketMechanic.objects.bulk_create(
        TicketMechanic(ticket=ticket, mechanic=mechanic) for ticket in tickets
    )


class TestTheBoard:
    def test_puts_each_ticket_into_the_column_of_its_status(
        self, boss: User, desk: Client
    ) -> None:
        opened, started, waiting, done, cancelled = (
            make_ticket(boss) for _ in range(5)
        )
        services.move_ticket(ticket=started, status="in_progress", by=boss)
        services.move_ticket(ticket=waiting, status="waiting", by=boss)
        services.move_ticket(ticket=done, status="in_progress", by=boss)
        services.move_ticket(ticket=done, status="completed", by=boss)
        services.move_ticket(ticket=cancelled, status="cancelled", by=boss)

        assert shown(desk) == {
            "open": [opened.pk],
            "in_progress": [started.pk],
            "waiting": [waiting.pk],
            "completed": [done.pk],
        }

    def test_finished_ticket_stays_ready_for_weeks(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        complete(ticket, boss)
        before = timezone.now() - timedelta(days=30)
        ServiceTicket.objects.filter(pk=ticket.pk).update(closed_at=before)

        column = columns_of(desk)["completed"]

        assert column.title == "Ready"
        assert (column.total, len(column.cards)) == (1, 1)

    def test_handed_over_ticket_leaves_the_board(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        complete(ticket, boss)

        _, said = press(desk, ticket, "handed_over")

        column = columns_of(desk)["completed"]
        assert (column.total, column.cards) == (0, [])
        assert said == f"The vehicle of {str(ticket).lower()} is handed over."

    def test_handing_over_twice_says_so(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        complete(ticket, boss)
        press(desk, ticket, "handed_over")

        _, said = press(desk, ticket, "handed_over")

        assert said == "This vehicle was handed over already."

    def test_puts_the_most_urgent_first_and_then_the_oldest(
        self, boss: User, desk: Client
    ) -> None:
        late, early, urgent = (make_ticket(boss) for _ in range(3))
        hours = {late: 1, early: 5, urgent: 0}
        for each, ago in hours.items():
            ServiceTicket.objects.filter(pk=each.pk).update(
                opened_at=timezone.now() - timedelta(hours=ago),
                priority=1 if each == urgent else 3,
            )

        assert shown(desk)["open"] == [urgent.pk, early.pk, late.pk]

    def test_shows_what_a_card_needs(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        ServiceTicket.objects.update(vehicle_license_plate="KA-42")
        services.assign_mechanic(ticket=ticket, mechanic=make_mechanic("Max"), by=boss)

        page = text_of(desk.get(BOARD))

        for fact in (
            str(ticket),
            page_of(ticket),
            "2019 VW Golf",
            "KA-42",
            "Ada Lovelace",
            "Priority: </span>Normal",
            "opened 0 min ago",
            "Max",
        ):
            assert fact in page

    def test_hides_people_and_cars_from_those_who_may_not_see_them(
        self, boss: User, ticket: ServiceTicket
    ) -> None:
        services.assign_mechanic(ticket=ticket, mechanic=make_mechanic("Max"), by=boss)
        user = make_user("guest")
        user.user_permissions.add(Permission.objects.get(codename="view_serviceticket"))

        page = browser_of(user).get(BOARD)

        assert str(ticket) in text_of(page)
        for secret in ("Lovelace", "Golf", ">Max<", "Nobody yet"):
            assert secret not in text_of(page)

    def test_does_not_let_them_filter_by_mechanic_either(
        self, boss: User, ticket: ServiceTicket
    ) -> None:
        mechanic = make_mechanic("Max")
        user = make_user("guest")
        user.user_permissions.add(Permission.objects.get(codename="view_serviceticket"))

        assert shown(browser_of(user), mechanic=str(mechanic.pk))["open"] == [ticket.pk]

    def test_is_for_those_who_may_see_tickets(self) -> None:
        assert browser_of(make_user("guest")).get(BOARD).status_code == 403
        assert Client().get(BOARD).status_code == 302

    def test_has_a_heading_with_a_count_for_each_column(
        self, desk: Client, ticket: ServiceTicket
    ) -> None:
        page = text_of(desk.get(BOARD))

        assert page.count("<h2 id=") == 4
        assert '1<span class="floor-sr"> ticket</span>' in page
        assert '0<span class="floor-sr"> tickets</span>' in page

    def test_says_what_an_empty_column_means(self, desk: Client) -> None:
        assert "Nobody is at work on a ticket." in text_of(desk.get(BOARD))
        assert "No ticket fits the filter." in text_of(desk.get(BOARD, {"priority": 1}))

    def test_is_linked_from_the_sidebar_and_the_list(self, desk: Client) -> None:
        assert f'href="{BOARD}"' in text_of(desk.get(INDEX))
        listed = text_of(desk.get(reverse("admin:tickets_serviceticket_changelist")))
        assert listed.count(f'href="{BOARD}"') == 2

    def test_lights_up_its_own_entry_of_the_sidebar_only(self, desk: Client) -> None:
        page = desk.get(BOARD)

        entries = page.context["sidebar_navigation"][0]["items"]
        assert [item["title"] for item in entries if item["active"]] == ["Work board"]

    def test_caps_a_column_and_links_to_the_rest(
        self, boss: User, desk: Client
    ) -> None:
        fill(make_vehicle(), make_mechanic(), 4 * (MAX_CARDS + 7))

        column = columns_of(desk)["open"]

        assert (len(column.cards), column.more) == (MAX_CARDS, 7)
        assert "and 7 more" in text_of(desk.get(BOARD))
        for each in columns_of(desk, priority="3").values():
            assert desk.get(each.link).context["cl"].result_count == MAX_CARDS + 7

    def test_takes_the_same_queries_for_10_and_1000_tickets(self, desk: Client) -> None:
        vehicle, mechanic = make_vehicle(), make_mechanic()
        fill(vehicle, mechanic, 10)
        desk.get(BOARD)
        few = queries_of(desk, BOARD)
        fill(vehicle, mechanic, 990)

        assert queries_of(desk, BOARD) == few
        assert few <= 10


class TestTheFilters:
    def test_keep_the_tickets_of_a_mechanic(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        make_ticket(boss)
        mechanic = make_mechanic("Max")
        services.assign_mechanic(ticket=ticket, mechanic=mechanic, by=boss)
        services.assign_mechanic(ticket=ticket, mechanic=make_mechanic("Moe"), by=boss)

        columns = columns_of(desk, mechanic=str(mechanic.pk))

        assert [card.ticket for card in columns["open"].cards] == [ticket]
        assert [str(who) for who in columns["open"].cards[0].mechanics] == [
            "Max",
            "Moe",
        ]
        assert columns["open"].total == 1

    def test_keep_the_tickets_of_whoever_looks(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        make_ticket(boss)
        mechanic = make_mechanic("Max", user=boss)
        services.assign_mechanic(ticket=ticket, mechanic=mechanic, by=boss)

        assert shown(desk, mechanic="mine")["open"] == [ticket.pk]

    def test_keep_the_tickets_of_a_priority(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        services.update_ticket(ticket=make_ticket(boss), priority=1, by=boss)

        assert shown(desk, priority="3")["open"] == [ticket.pk]

    @pytest.mark.parametrize("value", ["0", "x", "٣", "9" * 30, "-1", "1 or 1=1"])
    def test_ignore_what_means_nothing(
        self, value: str, desk: Client, ticket: ServiceTicket
    ) -> None:
        assert shown(desk, priority=value, mechanic=value)["open"] == [ticket.pk]

    def test_lead_to_lists_that_open(self, boss: User, desk: Client) -> None:
        mechanic = make_mechanic("Max")
        fill(make_vehicle(), mechanic, 8)

        for column in columns_of(desk, mechanic=str(mechanic.pk)).values():
            assert desk.get(column.link).context["cl"].result_count == 2

    def test_stay_when_a_card_moves(self, desk: Client, ticket: ServiceTicket) -> None:
        path = f"{BOARD}?priority=3"

        answer, _ = press(desk, ticket, "in_progress", path)

        assert answer["Location"] == f"{path}#ticket-{ticket.pk}"


class TestACardsButtons:
    @pytest.mark.parametrize("status", list(MOVES))
    def test_are_allowed_moves(self, status: TicketStatus) -> None:
        ticket = ServiceTicket(status=status)

        offered = {move.target for move in available_moves(ticket, lambda _: True)}

        ready = {HAND_OVER} if status == Status.COMPLETED else set()
        # Nobody can pause what nobody has started; the list's action lets it wait.
        odd = {Status.CANCELLED, *([Status.WAITING] if status == Status.OPEN else [])}
        assert offered == ({*ticket.allowed_moves} - odd) | ready

    @pytest.mark.parametrize(
        ("verb", "statuses"),
        [
            ("tickets.work_ticket", ["open", "in_progress", "waiting", "completed"]),
            ("tickets.reopen_ticket", ["completed"]),
            ("tickets.cancel_ticket", []),
        ],
    )
    def test_are_for_those_with_the_right(self, verb: str, statuses: list[str]) -> None:
        may: Callable[[str], bool] = verb.__eq__

        assert [
            status
            for status in MOVES
            if available_moves(ServiceTicket(status=status), may)
        ] == statuses

    def test_say_which_ticket_they_move(
        self, desk: Client, ticket: ServiceTicket
    ) -> None:
        page = text_of(desk.get(BOARD))

        assert f'aria-label="Start {ticket}"' in page
        assert f'value="{ticket.pk}:in_progress"' in page

    def test_move_the_ticket_through_the_service(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        _, said = press(desk, ticket, "in_progress")

        ticket.refresh_from_db()
        assert (ticket.status, said) == ("in_progress", f"{ticket} is in progress.")
        assert ticket.events.all()[0].by == boss

    def test_move_for_the_workshop(
        self, workshop: Client, ticket: ServiceTicket
    ) -> None:
        press(workshop, ticket, "in_progress")
        press(workshop, ticket, "completed")

        ticket.refresh_from_db()
        assert ticket.status == "completed"

    def test_say_no_to_an_illegal_move_in_words(
        self, desk: Client, ticket: ServiceTicket
    ) -> None:
        answer, said = press(desk, ticket, "completed")

        ticket.refresh_from_db()
        assert ticket.status == "open"
        assert said == "A ticket that is open cannot become completed."
        assert "#" not in answer["Location"]

    def test_say_no_in_words_to_those_without_the_right(
        self, boss: User, workshop: Client, ticket: ServiceTicket
    ) -> None:
        for status in ("in_progress", "completed"):
            services.move_ticket(ticket=ticket, status=status, by=boss)

        _, said = press(workshop, ticket, "in_progress")

        ticket.refresh_from_db()
        assert ticket.status == "completed"
        assert said == "You may not make this ticket in progress."

    def test_reopen_at_the_counter(self, boss: User, ticket: ServiceTicket) -> None:
        for status in ("in_progress", "completed"):
            services.move_ticket(ticket=ticket, status=status, by=boss)

        press(browser_of(make_user("ann", SERVICE_ADVISOR)), ticket, "in_progress")

        ticket.refresh_from_db()
        assert ticket.status == "in_progress"

    @pytest.mark.parametrize(
        "move",
        [
            *("", "x", ":", "1", "1:", "1:cancelled", "1:deleted", ":open", "x:open"),
            *(f"{'9' * 30}:open", "٣:open", "1:open:open"),
        ],
    )
    def test_do_nothing_with_nonsense(
        self, move: str, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        part = make_part(boss)
        services.install_part(ticket=ticket, part=part, quantity_used=1, by=boss)
        before = ticket.events.count()

        answer, said = post(desk, BOARD, {"move": move})

        assert (answer.status_code, ticket.events.count()) == (302, before)
        assert said in {"Press a button on a card.", "This ticket is gone."}

    def test_say_that_a_ticket_is_gone(
        self, desk: Client, ticket: ServiceTicket
    ) -> None:
        services.delete_ticket(ticket=ServiceTicket.objects.get())

        _, said = press(desk, ticket, "in_progress")

        assert said == "This ticket is gone."

    def test_need_the_token_against_forged_requests(
        self, boss: User, ticket: ServiceTicket
    ) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(boss)

        answer = client.post(BOARD, {"move": f"{ticket.pk}:in_progress"})

        assert answer.status_code == 403

    def test_change_nothing_on_get(self, desk: Client, ticket: ServiceTicket) -> None:
        desk.get(BOARD, {"move": f"{ticket.pk}:in_progress"})

        ticket.refresh_from_db()
        assert ticket.status == "open"

    def test_are_not_there_for_those_who_only_look(self, ticket: ServiceTicket) -> None:
        user = make_user("guest")
        user.user_permissions.add(Permission.objects.get(codename="view_serviceticket"))
        client = browser_of(user)

        assert 'name="move"' not in text_of(client.get(BOARD))
        _, said = press(client, ticket, "in_progress")
        assert said == "You may not make this ticket in progress."

    def test_cost_the_same_queries_for_every_card(
        self, boss: User, desk: Client
    ) -> None:
        warm_up, first, second = (make_ticket(boss) for _ in range(3))
        press(desk, warm_up, "in_progress")

        counts = []
        for each in (first, second):
            with CaptureQueriesContext(connection) as queries:
                press(desk, each, "in_progress")
            counts.append(len(queries))

        assert counts[0] == counts[1]


class TestAnAge:
    @pytest.mark.parametrize(
        ("ago", "words"),
        [
            (timedelta(seconds=-5), "0 min"),
            (timedelta(minutes=59, seconds=30), "59 min"),
            (timedelta(hours=1), "1 h"),
            (timedelta(hours=23, minutes=59), "23 h"),
            (timedelta(days=1), "1 day"),
            (timedelta(days=12, hours=3), "12 days"),
        ],
    )
    def test_is_told_in_its_largest_unit(self, ago: timedelta, words: str) -> None:
        assert format_age(timezone.now() - ago) == words

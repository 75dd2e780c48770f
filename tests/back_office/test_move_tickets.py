"""The buttons and actions that move a ticket to another status."""

from __future__ import annotations

import pytest
from django.test import Client

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import TECHNICIAN
from tests.support.back_office import (
    answer_dialog,
    browser_of,
    make_ticket,
    make_user,
    page_of,
    run_action,
    text_of,
    url,
)
from tickets import services
from tickets.models import ServiceTicket

pytestmark = pytest.mark.django_db


class TestMoveTicket:
    def test_works_with_the_button_on_its_page(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)

        _, said = answer_dialog(desk, url(ServiceTicket, "start_work", ticket.pk))

        ticket.refresh_from_db()
        assert (ticket.status, said) == (
            "in_progress",
            f"Ticket {ticket.pk} is in progress.",
        )
        assert ticket.events.get(kind="status_changed").by == boss

    def test_has_a_button_for_every_way(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)

        for button, status in (
            ("pause_work", "waiting"),
            ("start_work", "in_progress"),
            ("complete_ticket", "completed"),
            ("reopen_ticket", "in_progress"),
            ("cancel_ticket", "cancelled"),
        ):
            answer_dialog(desk, url(ServiceTicket, button, ticket.pk))
            ticket.refresh_from_db()
            assert ticket.status == status

    def test_has_an_action_for_every_way(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)

        for action, status in (
            ("pause_selected", "waiting"),
            ("complete_selected", "completed"),
            ("reopen_selected", "in_progress"),
            ("cancel_selected", "cancelled"),
        ):
            run_action(desk, action, [ticket])
            ticket.refresh_from_db()
            assert ticket.status == status

    def test_asks_before_it_acts(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)

        answer = desk.get(url(ServiceTicket, "cancel_ticket", ticket.pk))

        ticket.refresh_from_db()
        assert "back on the shelf" in text_of(answer)
        assert ticket.status == "open"

    def test_is_offered_only_where_the_status_allows(
        self, boss: User, desk: Client
    ) -> None:
        page = text_of(desk.get(page_of(make_ticket(boss))))

        assert "start_work" in page
        assert "complete_ticket" not in page
        assert "reopen_ticket" not in page

    def test_says_in_words_what_is_not_allowed(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)

        _, said = answer_dialog(desk, url(ServiceTicket, "complete_ticket", ticket.pk))

        assert said == "A ticket that is open cannot become completed."

    def test_works_with_the_action_on_the_list(self, boss: User, desk: Client) -> None:
        tickets = [make_ticket(boss), make_ticket(boss)]

        run_action(desk, "start_selected", tickets)

        assert set(ServiceTicket.objects.values_list("status", flat=True)) == {
            "in_progress"
        }

    def test_moves_all_selected_tickets_or_none(self, boss: User, desk: Client) -> None:
        tickets = [make_ticket(boss), make_ticket(boss)]
        services.move_ticket(ticket=tickets[1], status="cancelled", by=boss)

        said = run_action(desk, "start_selected", tickets)

        tickets[0].refresh_from_db()
        assert said == "A ticket that is cancelled cannot become in progress."
        assert tickets[0].status == "open"

    def test_needs_the_right_for_this_very_move(self, boss: User) -> None:
        ticket = make_ticket(boss)
        for status in ("in_progress", "completed"):
            services.move_ticket(ticket=ticket, status=status, by=boss)
        client = browser_of(make_user("tina", TECHNICIAN))

        for button in ("start_work", "reopen_ticket", "cancel_ticket"):
            answer, _ = answer_dialog(client, url(ServiceTicket, button, ticket.pk))
            assert answer.status_code == 403

        ticket.refresh_from_db()
        assert ticket.status == "completed"

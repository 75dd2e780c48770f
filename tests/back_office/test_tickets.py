"""The page of a ticket obeys the services, and explains what they refuse."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import TECHNICIAN
from tests.support.back_office import (
    add_row,
    answer_dialog,
    browser_of,
    form_of,
    make_customer,
    make_mechanic,
    make_part,
    make_ticket,
    make_user,
    make_vehicle,
    page_of,
    post,
    text_of,
    url,
)
from tickets import services
from tickets.models import ServiceTicket

pytestmark = pytest.mark.django_db


class TestTicketPage:
    def test_opens_a_ticket_for_the_owner(self, boss: User, desk: Client) -> None:
        vehicle = make_vehicle()
        form = form_of(desk, url(ServiceTicket, "add"))
        form |= {
            "vehicle": vehicle.pk,
            "problem_description": "Squeaks",
            "odometer_miles": "5",
        }

        post(desk, url(ServiceTicket, "add"), form)

        ticket = ServiceTicket.objects.get()
        assert ticket.customer == vehicle.customer
        assert ticket.events.get().by == boss

    def test_writes_a_change_on_the_timeline(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)
        form = form_of(desk, page_of(ticket))

        post(desk, page_of(ticket), {**form, "priority": "1"})

        event = ticket.events.all()[0]
        assert event.detail == {"changes": {"priority": {"old": 3, "new": 1}}}
        assert "priority: Normal → Urgent" in text_of(desk.get(page_of(ticket)))

    def test_refuses_a_vehicle_of_somebody_else(self, boss: User, desk: Client) -> None:
        ticket, other = make_ticket(boss), make_vehicle(make_customer("Bob"))
        form = form_of(desk, page_of(ticket))

        _, said = post(
            desk, page_of(ticket), {**form, "vehicle": other.pk, "priority": "1"}
        )

        ticket.refresh_from_db()
        assert said == "The vehicle belongs to another customer."
        assert ticket.priority == 3

    def test_does_not_take_a_status_from_a_posted_form(
        self, boss: User, desk: Client
    ) -> None:
        ticket = make_ticket(boss)
        form = form_of(desk, page_of(ticket))

        post(desk, page_of(ticket), {**form, "status": "completed"})

        ticket.refresh_from_db()
        assert ticket.status == "open"

    def test_installs_a_part_from_the_shelf(self, boss: User, desk: Client) -> None:
        ticket, part = make_ticket(boss), make_part(boss, stock=5)
        form = form_of(desk, page_of(ticket))

        post(
            desk,
            page_of(ticket),
            add_row(
                form,
                "ticket_parts",
                part=part.pk,
                quantity_used="2",
                markup_percentage="30",
            ),
        )

        part.refresh_from_db()
        movement = part.movements.all()[0]
        assert (part.quantity_in_stock, movement.delta) == (3, -2)
        assert (movement.by, movement.ticket) == (boss, ticket)
        assert ticket.ticket_parts.get().unit_cost_cents == 123_450
        assert ticket.events.get(kind="part_installed").by == boss

    def test_says_in_words_what_is_short_and_saves_nothing(
        self, boss: User, desk: Client
    ) -> None:
        ticket, part = make_ticket(boss), make_part(boss, stock=5)
        mechanic = make_mechanic()
        form = {**form_of(desk, page_of(ticket)), "priority": "1"}
        form = add_row(form, "ticket_mechanics", mechanic=mechanic.pk, role="Lead")
        form = add_row(
            form, "ticket_parts", part=part.pk, quantity_used="6", markup_percentage="1"
        )
        form["ticket_mechanics-0-minutes_worked"] = "0"

        answer, said = post(desk, page_of(ticket), form)

        ticket.refresh_from_db()
        assert answer.status_code == 200
        assert said == "Only 5 of BRK-1 in stock, 6 requested."
        assert (ticket.priority, ticket.events.count()) == (3, 1)
        assert not ticket.ticket_mechanics.exists()
        assert not LogEntry.objects.exists()

    def test_moves_only_the_difference_when_a_line_changes(
        self, boss: User, desk: Client
    ) -> None:
        ticket, part = make_ticket(boss), make_part(boss, stock=5)
        services.install_part(ticket=ticket, part=part, quantity_used=2, by=boss)
        form = form_of(desk, page_of(ticket))

        post(desk, page_of(ticket), {**form, "ticket_parts-0-quantity_used": "3"})

        assert list(part.movements.values_list("delta", flat=True)) == [-1, -2, 5]

    def test_puts_a_removed_part_back(self, boss: User, desk: Client) -> None:
        ticket, part = make_ticket(boss), make_part(boss, stock=5)
        services.install_part(ticket=ticket, part=part, quantity_used=2, by=boss)
        form = form_of(desk, page_of(ticket))

        post(desk, page_of(ticket), {**form, "ticket_parts-0-DELETE": "on"})

        part.refresh_from_db()
        assert (part.quantity_in_stock, ticket.ticket_parts.count()) == (5, 0)
        assert ticket.events.filter(kind="part_removed").exists()

    def test_keeps_the_part_of_a_line_and_its_markup(
        self, boss: User, desk: Client
    ) -> None:
        ticket, part = make_ticket(boss), make_part(boss)
        services.install_part(ticket=ticket, part=part, quantity_used=2, by=boss)
        form = form_of(desk, page_of(ticket))
        forged = {"part": make_part(boss, "B").pk, "markup_percentage": "0"}

        post(
            desk,
            page_of(ticket),
            form | {f"ticket_parts-0-{name}": value for name, value in forged.items()},
        )

        line = ticket.ticket_parts.get()
        assert line.part == part
        assert line.markup_percentage == 30

    def test_assigns_changes_and_removes_mechanics(
        self, boss: User, desk: Client
    ) -> None:
        ticket, mechanic = make_ticket(boss), make_mechanic()
        row = {"mechanic": mechanic.pk, "role": "Lead", "minutes_worked": "5"}
        form = add_row(form_of(desk, page_of(ticket)), "ticket_mechanics", **row)
        post(desk, page_of(ticket), form)
        assert ticket.ticket_mechanics.get().minutes_worked == 5

        form = form_of(desk, page_of(ticket))
        post(desk, page_of(ticket), form | {"ticket_mechanics-0-minutes_worked": "9"})
        assert ticket.ticket_mechanics.get().minutes_worked == 9

        form = form_of(desk, page_of(ticket))
        post(desk, page_of(ticket), form | {"ticket_mechanics-0-DELETE": "on"})
        assert not ticket.ticket_mechanics.exists()

        kinds = list(ticket.events.values_list("kind", flat=True))
        assert kinds == [
            "mechanic_removed",
            "assignment_changed",
            "mechanic_assigned",
            "opened",
        ]

    def test_survives_that_a_row_was_removed_meanwhile(
        self, boss: User, desk: Client
    ) -> None:
        ticket, mechanic = make_ticket(boss), make_mechanic()
        services.assign_mechanic(ticket=ticket, mechanic=mechanic, by=boss)
        form = form_of(desk, page_of(ticket))
        services.remove_mechanic(ticket=ticket, mechanic=mechanic, by=boss)

        answer, _ = post(
            desk, page_of(ticket), form | {"ticket_mechanics-0-minutes_worked": "9"}
        )

        assert answer.status_code in {200, 302}
        assert not ticket.ticket_mechanics.exists()

    def test_says_in_words_that_the_ticket_was_closed_meanwhile(
        self, boss: User, desk: Client
    ) -> None:
        ticket = make_ticket(boss)
        form = form_of(desk, page_of(ticket))
        services.move_ticket(ticket=ticket, status="cancelled", by=boss)

        _, said = post(desk, page_of(ticket), {**form, "priority": "1"})

        assert said == "This ticket is cancelled."

    def test_says_in_words_that_a_ticket_with_parts_stays(
        self, boss: User, desk: Client
    ) -> None:
        ticket, part = make_ticket(boss), make_part(boss)
        services.install_part(ticket=ticket, part=part, quantity_used=1, by=boss)

        _, said = post(desk, page_of(ticket, "delete"), {"post": "yes"})

        assert "Cancel it" in said
        assert ServiceTicket.objects.exists()
        assert not LogEntry.objects.exists()

    def test_deletes_a_ticket_on_which_nothing_happened(
        self, boss: User, desk: Client
    ) -> None:
        ticket = make_ticket(boss)
        assert "Are you sure" in text_of(desk.get(page_of(ticket, "delete")))

        post(desk, page_of(ticket, "delete"), {"post": "yes"})

        assert not ServiceTicket.objects.exists()

    def test_takes_a_note(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)

        answer_dialog(desk, url(ServiceTicket, "write_note", ticket.pk), text="Called.")

        event = ticket.events.get(kind="note")
        assert (event.detail, event.by) == ({"text": "Called."}, boss)

    def test_lets_a_technician_install_but_not_edit(self, boss: User) -> None:
        ticket, part = make_ticket(boss), make_part(boss)
        tina = make_user("tina", TECHNICIAN)
        client = browser_of(tina)
        form = {**form_of(client, page_of(ticket)), "priority": "1"}

        post(
            client,
            page_of(ticket),
            add_row(
                form,
                "ticket_parts",
                part=part.pk,
                quantity_used="1",
                markup_percentage="30",
            ),
        )

        ticket.refresh_from_db()
        assert (ticket.priority, ticket.ticket_parts.count()) == (3, 1)
        assert ticket.events.get(kind="part_installed").by == tina

    def test_lets_a_technician_log_only_their_own_minutes(self, boss: User) -> None:
        tina = make_user("tina", TECHNICIAN)
        ticket = make_ticket(boss)
        for mechanic in (make_mechanic("Max"), make_mechanic("Tina", user=tina)):
            services.assign_mechanic(ticket=ticket, mechanic=mechanic, by=boss)
        client = browser_of(tina)
        form = form_of(client, page_of(ticket))

        minutes = {f"ticket_mechanics-{row}-minutes_worked": "60" for row in (0, 1)}
        post(client, page_of(ticket), form | minutes)

        rows = ticket.ticket_mechanics.order_by("pk")
        assert list(rows.values_list("minutes_worked", flat=True)) == [0, 60]

    def test_is_only_for_reading_to_those_who_may_do_nothing(self, boss: User) -> None:
        ticket, viewer = make_ticket(boss), make_user("vic")
        viewer.user_permissions.add(
            Permission.objects.get(codename="view_serviceticket")
        )
        client = browser_of(viewer)

        assert client.get(page_of(ticket)).status_code == 200
        assert client.post(page_of(ticket), {"priority": "1"}).status_code == 403

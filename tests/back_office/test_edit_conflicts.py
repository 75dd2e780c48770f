"""Saving over a newer change is reported and never happens by accident."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connections
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from customers.services import delete_customer
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.admin import edit_conflicts
from mechanic_shop.admin.edit_conflicts import FormVersion
from mechanic_shop.core.locking import lock_row
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


def mark_in(page: str) -> str:
    found = re.search(r'name="_seen" value="([^"]+)"', page)
    assert found, "the form carries no version"
    return unescape(found[1])


def marked_form(client: Client, path: str) -> dict[str, Any]:
    """Collect what a browser would post, with the version that the page shows."""
    form = {
        name: value
        for name, value in form_of(client, path).items()
        if not re.match(r"events-\d", name)  # they are shown, not in fields
    }
    return {**form, "_seen": mark_in(text_of(client.get(path)))}


class TestAForm:
    def test_is_saved_if_nothing_happened(self, boss: User, desk: Client) -> None:
        customer = make_customer()
        form = marked_form(desk, page_of(customer))

        answer, said = post(desk, page_of(customer), {**form, "phone": "2"})

        customer.refresh_from_db()
        assert (answer.status_code, customer.phone) == (302, "2")
        assert "changed successfully" in said

    @pytest.mark.parametrize("button", ["_save", "_continue", "_addanother"])
    def test_is_not_saved_over_a_newer_change(
        self, button: str, boss: User, desk: Client
    ) -> None:
        customer = make_customer()
        form = marked_form(desk, page_of(customer))
        Customer.objects.filter(pk=customer.pk).update(phone="newer")

        answer, _ = post(
            desk, page_of(customer), {**form, "phone": "mine", button: "1"}
        )

        customer.refresh_from_db()
        page = text_of(answer)
        assert (answer.status_code, customer.phone) == (409, "newer")
        assert "Somebody else changed this while you had it open." in page
        assert "Stored by now: newer" in page
        assert 'value="mine"' in page

    def test_is_saved_by_those_who_saw_what_is_stored(
        self, boss: User, desk: Client
    ) -> None:
        customer = make_customer()
        form = {**marked_form(desk, page_of(customer)), "phone": "mine"}
        Customer.objects.filter(pk=customer.pk).update(phone="newer")
        told, _ = post(desk, page_of(customer), form)

        answer, _ = post(
            desk, page_of(customer), {**form, "_seen": mark_in(text_of(told))}
        )

        customer.refresh_from_db()
        assert (answer.status_code, customer.phone) == (302, "mine")

    def test_names_who_saved_it_meanwhile(self, boss: User, desk: Client) -> None:
        customer, sven = make_customer(), make_user("sven", SERVICE_ADVISOR)
        form = marked_form(desk, page_of(customer))
        other = browser_of(sven)
        post(
            other,
            page_of(customer),
            {**marked_form(other, page_of(customer)), "phone": "3"},
        )

        answer, _ = post(desk, page_of(customer), {**form, "city": "Rome"})

        assert "sven Staff saved it at" in text_of(answer)

    def test_minds_the_rows_below_it(self, boss: User, desk: Client) -> None:
        vehicle = make_vehicle()
        form = marked_form(desk, page_of(vehicle.customer))
        vehicle.color = "red"
        vehicle.save()

        answer, _ = post(desk, page_of(vehicle.customer), {**form, "phone": "2"})

        assert answer.status_code == 409

    def test_does_not_mind_stock_that_moves(self, boss: User, desk: Client) -> None:
        part = make_part(boss)
        form = marked_form(desk, page_of(part))
        answer_dialog(desk, url(Part, "count_stock", part.pk), counted="9")

        answer, _ = post(desk, page_of(part), {**form, "name": "Pad"})

        part.refresh_from_db()
        assert (answer.status_code, part.name) == (302, "Pad")
        assert part.quantity_in_stock == 9

    def test_minds_the_groups_of_a_user(self, boss: User, desk: Client) -> None:
        user = make_user("tina")
        form = marked_form(desk, page_of(user))
        user.groups.add(Group.objects.get(name=TECHNICIAN))

        answer, _ = post(desk, page_of(user), {**form, "first_name": "T"})

        assert answer.status_code == 409
        assert user.groups.exists()

    def test_does_not_mind_that_the_user_signed_in(
        self, boss: User, desk: Client
    ) -> None:
        user = make_user("tina")
        form = marked_form(desk, page_of(user))
        browser_of(user)

        answer, _ = post(desk, page_of(user), {**form, "first_name": "T"})

        assert answer.status_code == 302

    def test_is_not_saved_with_a_forged_version(self, boss: User, desk: Client) -> None:
        customer = make_customer()
        form = {**marked_form(desk, page_of(customer)), "_seen": "forged"}

        answer, _ = post(desk, page_of(customer), {**form, "phone": "2"})

        assert answer.status_code == 409

    def test_of_a_row_that_is_gone_says_so(self, boss: User, desk: Client) -> None:
        part = make_part(boss)
        path, form = page_of(part), marked_form(desk, page_of(part))
        part.movements.all().delete()
        part.delete()

        answer, said = post(desk, path, form)

        assert answer.status_code == 302
        assert "doesn’t exist" in said

    def test_shows_no_stored_value_that_is_hidden(self) -> None:
        mechanic, sven = make_mechanic(), make_user("sven", SERVICE_ADVISOR)
        client = browser_of(sven)

        page = client.post(page_of(mechanic), {"full_name": "X", "_seen": "forged"})

        assert page.status_code == 403
        assert "54321" not in text_of(page)


@pytest.mark.django_db(transaction=True)
class TestTwoPeopleAtOnce:
    def test_are_not_both_saved(self, boss: User) -> None:
        customer, start = make_customer(), Barrier(2)
        clients = [browser_of(boss), browser_of(make_user("b", is_superuser=True))]
        forms = [marked_form(client, page_of(customer)) for client in clients]

        def save(number: int) -> int:
            start.wait()
            mine = {**forms[number], "phone": f"mine {number}"}
            try:
                return clients[number].post(page_of(customer), mine).status_code
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(save, range(2)))

        customer.refresh_from_db()
        assert sorted(answers) == [302, 409]
        assert customer.phone == f"mine {answers.index(302)}"


class TestATicketsForm:
    def test_minds_its_lines(self, boss: User, desk: Client) -> None:
        ticket, part = make_ticket(boss), make_part(boss)
        form = marked_form(desk, page_of(ticket))
        services.install_part(ticket=ticket, part=part, quantity_used=2, by=boss)

        answer, _ = post(desk, page_of(ticket), {**form, "priority": "1"})

        ticket.refresh_from_db()
        assert (answer.status_code, ticket.priority) == (409, 3)
        assert "installed 2 × BRK-1 Brake pad" in text_of(answer)

    def test_keeps_a_line_that_was_typed(self, boss: User, desk: Client) -> None:
        ticket, part = make_ticket(boss), make_part(boss)
        form = marked_form(desk, page_of(ticket))
        services.add_note(ticket=ticket, by=boss, text="Called.")
        form = add_row(
            form,
            "ticket_parts",
            part=part.pk,
            quantity_used="2",
            markup_percentage="30",
        )

        told, _ = post(desk, page_of(ticket), form)
        assert not ticket.ticket_parts.exists()
        form["_seen"] = mark_in(text_of(told))
        post(desk, page_of(ticket), form)

        assert ticket.ticket_parts.get().quantity_used == 2

    def test_is_told_that_the_ticket_was_closed(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)
        form = marked_form(desk, page_of(ticket))
        services.move_ticket(ticket=ticket, status="cancelled", by=boss)

        answer, _ = post(desk, page_of(ticket), {**form, "priority": "1"})

        assert answer.status_code == 409
        assert "Open → Cancelled" in text_of(answer)
        assert ServiceTicket.objects.get().priority == 3

    def test_does_not_put_a_line_back_unseen(self, boss: User, desk: Client) -> None:
        ticket, part = make_ticket(boss), make_part(boss)
        services.install_part(ticket=ticket, part=part, quantity_used=2, by=boss)
        form = marked_form(desk, page_of(ticket))
        services.change_installed_part(
            ticket=ticket, part=part, by=boss, quantity_used=3
        )

        answer, _ = post(desk, page_of(ticket), {**form, "priority": "1"})

        page = text_of(answer)
        assert ticket.ticket_parts.get().quantity_used == 3
        assert "quantity used: 2 → 3" in page
        assert "Stored by now: 3" in page

    def test_survives_that_a_line_was_removed(self, boss: User, desk: Client) -> None:
        ticket, part = make_ticket(boss), make_part(boss)
        services.install_part(ticket=ticket, part=part, quantity_used=2, by=boss)
        form = marked_form(desk, page_of(ticket))
        services.remove_part(ticket=ticket, part=part, by=boss)

        answer, _ = post(desk, page_of(ticket), {**form, "priority": "1"})

        assert answer.status_code == 409
        assert "took 2 × BRK-1 Brake pad off it" in text_of(answer)

    def test_leaves_what_is_only_shown_out_of_it(self, boss: User) -> None:
        ticket, mechanic = make_ticket(boss), make_mechanic()
        services.assign_mechanic(ticket=ticket, mechanic=mechanic, by=boss)
        client = browser_of(make_user("tina", TECHNICIAN))
        form = marked_form(client, page_of(ticket))
        services.add_note(ticket=ticket, by=boss, text="Called.")

        answer, _ = post(client, page_of(ticket), form)

        assert answer.status_code == 409
        assert "Stored by now" not in text_of(answer)


class TestRowThatIsGone:
    def test_conflict_with_an_erasure_redirects_with_a_message(
        self, desk: Client, boss: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ticket = make_ticket(boss)
        services.move_ticket(ticket=ticket, status="cancelled", by=boss)
        vehicle = ticket.vehicle
        seen = FormVersion("of before", timezone.now()).sign()

        def erase_and_lock(row: Any) -> Any:
            delete_customer(customer=Customer.objects.get(pk=vehicle.customer_id))
            return lock_row(row)

        monkeypatch.setattr(edit_conflicts, "lock_row", erase_and_lock)
        answer = desk.post(page_of(vehicle), {"_seen": seen}, follow=True)

        assert answer.redirect_chain
        assert "doesn’t exist" in answer.content.decode()

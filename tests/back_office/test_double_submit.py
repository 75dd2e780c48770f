"""Whoever clicks twice does it once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from customers.models import Customer
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.admin.double_submit import MESSAGE
from tests.support.back_office import (
    add_row,
    browser_of,
    form_of,
    make_part,
    make_ticket,
    make_user,
    page_of,
    post,
    text_of,
    url,
)
from tickets.models import ServiceTicket


def key_in(page: str) -> str:
    found = re.search(r'name="_once" value="(\w+)"', page)
    assert found, "the form carries no key"
    return found[1]


def keyed_form(client: Client, path: str) -> dict[str, Any]:
    """Collect what a browser would post, with the key of this very form."""
    return {**form_of(client, path), "_once": key_in(text_of(client.get(path)))}


def keyed_dialog(client: Client, path: str, **data: Any) -> dict[str, Any]:
    key = key_in(text_of(client.get(path)))
    return {"_form_submitted": "True", "_once": key, **data}


def post_twice_at_once(user: User, path: str, data: dict[str, Any]) -> list[int]:
    """Let two browsers of one person post the same form in the same moment."""
    clients, start = [browser_of(user), browser_of(user)], Barrier(2)

    def submit(client: Client) -> int:
        start.wait()
        try:
            return client.post(path, data).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(submit, clients))


@pytest.mark.django_db(transaction=True)
class TestTwoPostsAtOnce:
    def test_install_a_part_once(self) -> None:
        boss = make_user("boss", is_superuser=True)
        ticket, part = make_ticket(boss), make_part(boss, stock=5)
        form = add_row(
            keyed_form(browser_of(boss), page_of(ticket)),
            "ticket_parts",
            part=part.pk,
            quantity_used="2",
            markup_percentage="30",
        )

        answers = post_twice_at_once(boss, page_of(ticket), form)

        part.refresh_from_db()
        assert answers == [302, 302]
        assert part.quantity_in_stock == 3
        assert ticket.events.filter(kind="part_installed").count() == 1

    def test_adjust_stock_once(self) -> None:
        boss = make_user("boss", is_superuser=True)
        ticket, part = make_ticket(boss), make_part(boss, stock=5)
        dialog = url(Part, "adjust_stock", part.pk)
        data = keyed_dialog(
            browser_of(boss), dialog, adjustment="3", reason="receive", note=""
        )

        answers = post_twice_at_once(boss, dialog, data)

        part.refresh_from_db()
        assert answers == [302, 302]
        assert part.quantity_in_stock == 8
        assert ticket.events.count() == 1

    def test_write_a_note_once(self) -> None:
        boss = make_user("boss", is_superuser=True)
        ticket = make_ticket(boss)
        dialog = url(ServiceTicket, "write_note", ticket.pk)
        data = keyed_dialog(browser_of(boss), dialog, text="Called.")

        post_twice_at_once(boss, dialog, data)

        assert ticket.events.filter(kind="note").count() == 1

    def test_add_a_row_once(self) -> None:
        boss = make_user("boss", is_superuser=True)
        form = keyed_form(browser_of(boss), url(Customer, "add"))
        form |= {"first_name": "Ada", "last_name": "Lovelace", "phone": "1"}

        post_twice_at_once(boss, url(Customer, "add"), form)

        assert Customer.objects.count() == 1


@pytest.mark.django_db
class TestASecondPost:
    @pytest.fixture
    def boss(self) -> User:
        return make_user("boss", is_superuser=True)

    def test_is_told_that_it_was_done(self, boss: User) -> None:
        desk, part = browser_of(boss), make_part(boss, stock=5)
        dialog = url(Part, "adjust_stock", part.pk)
        data = keyed_dialog(desk, dialog, adjustment="3", reason="receive")

        post(desk, dialog, data)
        _, said = post(desk, dialog, data)

        part.refresh_from_db()
        assert (part.quantity_in_stock, said) == (8, MESSAGE)

    def test_lands_where_the_first_one_did(self, boss: User) -> None:
        desk = browser_of(boss)
        form = keyed_form(desk, url(Customer, "add"))
        form |= {"first_name": "A", "last_name": "B", "phone": "1", "_continue": "1"}

        first = desk.post(url(Customer, "add"), form)
        second = desk.post(url(Customer, "add"), form)

        assert second["Location"] == first["Location"]
        assert Customer.objects.count() == 1

    def test_works_after_one_with_errors(self, boss: User) -> None:
        desk = browser_of(boss)
        form = keyed_form(desk, url(Customer, "add"))
        form |= {"first_name": "Ada", "last_name": "", "phone": "1"}
        desk.post(url(Customer, "add"), form)

        desk.post(url(Customer, "add"), {**form, "last_name": "Lovelace"})

        assert Customer.objects.count() == 1

    def test_works_after_one_that_was_refused(self, boss: User) -> None:
        desk, part = browser_of(boss), make_part(boss, stock=5)
        dialog = url(Part, "adjust_stock", part.pk)
        data = keyed_dialog(desk, dialog, adjustment="-6", reason="adjust")
        post(desk, dialog, data)

        _, said = post(desk, dialog, {**data, "adjustment": "-5"})

        assert said == "0 in stock."

    def test_of_somebody_else_is_another_one(self, boss: User) -> None:
        other, part = make_user("other", is_superuser=True), make_part(boss, stock=5)
        dialog = url(Part, "adjust_stock", part.pk)
        data = keyed_dialog(browser_of(boss), dialog, adjustment="1", reason="adjust")

        post(browser_of(boss), dialog, data)
        post(browser_of(other), dialog, data)

        part.refresh_from_db()
        assert part.quantity_in_stock == 7

    def test_moves_selected_tickets_once(self, boss: User) -> None:
        desk, ticket = browser_of(boss), make_ticket(boss)
        data = {"action": "start_selected", "_selected_action": [ticket.pk]}
        path = url(ServiceTicket, "changelist")
        data["_once"] = key_in(text_of(desk.post(path, data)))
        data["post"] = "yes"

        post(desk, path, data)
        _, said = post(desk, path, data)

        assert said == MESSAGE
        assert ticket.events.filter(kind="status_changed").count() == 1

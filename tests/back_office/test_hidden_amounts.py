"""Salaries and costs are hidden from those who may not see them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR, TECHNICIAN
from mechanics.models import Mechanic
from tests.support.back_office import (
    browser_of,
    fill_shop,
    form_of,
    make_mechanic,
    make_user,
    page_of,
    post,
    text_of,
    url,
)
from tickets.models import ServiceTicket, TicketPart

pytestmark = pytest.mark.django_db


class TestSalaries:
    def test_are_shown_with_the_permission(self, desk: Client) -> None:
        mechanic = make_mechanic()

        assert "54,321" in text_of(desk.get(url(Mechanic, "changelist")))
        assert "54321" in text_of(desk.get(page_of(mechanic)))

    def test_are_hidden_without_it(self) -> None:
        mechanic = make_mechanic()
        client = browser_of(make_user("sven", SERVICE_ADVISOR))

        for path in (url(Mechanic, "changelist"), page_of(mechanic)):
            page = text_of(client.get(path))
            assert "54,321" not in page
            assert "54321" not in page

    def test_cannot_be_guessed_with_a_filter(self) -> None:
        client = browser_of(make_user("sven", SERVICE_ADVISOR))

        answer = client.get(url(Mechanic, "changelist"), {"salary__gt": "1"})

        assert answer.status_code == 400

    def test_cannot_be_written_without_it(self) -> None:
        mechanic, editor = make_mechanic(), make_user("ed")
        editor.user_permissions.set(
            Permission.objects.filter(
                codename__in=["view_mechanic", "change_mechanic", "add_mechanic"]
            )
        )
        client = browser_of(editor)
        form = form_of(client, page_of(mechanic))

        post(client, page_of(mechanic), {**form, "full_name": "Moe", "salary": "1"})

        mechanic.refresh_from_db()
        assert (mechanic.full_name, mechanic.salary) == ("Moe", 54_321)
        assert client.get(url(Mechanic, "add")).status_code == 403


class TestCosts:
    @pytest.fixture
    def client(self, boss: User) -> Client:
        """A browser of somebody who sees tickets and not what parts cost the shop."""
        fill_shop(boss, 0, 1)
        viewer = make_user("vic")
        viewer.user_permissions.set(
            Permission.objects.filter(
                codename__in=["view_serviceticket", "view_ticketpart"]
            )
        )
        return browser_of(viewer)

    def test_are_hidden_without_the_right_to_see_parts(self, client: Client) -> None:
        for path in (
            url(TicketPart, "changelist"),
            page_of(TicketPart.objects.get()),
            page_of(ServiceTicket.objects.get()),
        ):
            page = text_of(client.get(path))
            assert "1,604.85" in page
            assert "1,234.50" not in page
            assert "30.00" not in page

    def test_cannot_be_guessed_with_a_filter(self, client: Client) -> None:
        path = url(TicketPart, "changelist")

        assert client.get(path, {"unit_cost_cents__gt": "1"}).status_code == 400


class TestMargins:
    """The API goes on answering costs to everybody who may see parts."""

    @pytest.mark.parametrize(
        ("role", "shown"), [(TECHNICIAN, False), (SERVICE_ADVISOR, True)]
    )
    def test_are_shown_from_the_desk_upwards(
        self, role: str, shown: bool, boss: User
    ) -> None:
        fill_shop(boss, 0, 1)
        client = browser_of(make_user("sven", role))

        for path in (
            url(Part, "changelist"),
            page_of(Part.objects.get()),
            page_of(ServiceTicket.objects.get()),
            url(TicketPart, "changelist"),
        ):
            assert ("1,234.50" in text_of(client.get(path))) is shown, path

    def test_are_no_field_of_a_technician(self, boss: User) -> None:
        fill_shop(boss, 0, 1)
        client = browser_of(make_user("tess", TECHNICIAN))

        form = form_of(client, page_of(ServiceTicket.objects.get()))

        assert not [name for name in form if name.endswith("-markup_percentage")]
        assert [name for name in form if name.endswith("-quantity_used")]

    def test_of_a_part_cannot_be_guessed(self, boss: User) -> None:
        client = browser_of(make_user("tess", TECHNICIAN))

        filters = {"current_cost_cents__gt": "1"}
        assert client.get(url(Part, "changelist"), filters).status_code == 400

"""The pages speak the shop's language: dates, amounts, words and ways back."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import Group, Permission
from django.template import Context, Template
from django.test import Client
from django.utils.timezone import get_current_timezone

from customers.models import Customer
from inventory.models import Part, StockMovement
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER
from tests.support.back_office import (
    add_row,
    answer_dialog,
    browser_of,
    form_of,
    make_mechanic,
    make_part,
    make_user,
    page_of,
    post,
    text_of,
    url,
)
from tickets import services
from tickets.models import ServiceTicket, TicketEvent

pytestmark = pytest.mark.django_db

BOARD = "/admin/tickets/serviceticket/board/?priority=3"


class TestADate:
    @pytest.mark.parametrize("name", ["DATETIME_FORMAT", "SHORT_DATETIME_FORMAT"])
    def test_is_written_in_one_style(self, name: str) -> None:
        moment = datetime(2026, 3, 4, 15, 6, tzinfo=get_current_timezone())
        text = Template("{{ moment|date:name }} {{ moment.date }}")

        written = text.render(Context({"moment": moment, "name": name}))

        assert written == "4 Mar 2026, 15:06 4 Mar 2026"


class TestAList:
    @pytest.mark.parametrize(
        ("model", "title"),
        [(ServiceTicket, "Service tickets"), (Part, "Parts"), (Customer, "Customers")],
    )
    def test_has_its_rows_as_title(self, model: type, title: str, desk: Client) -> None:
        assert desk.get(url(model, "changelist")).context["title"] == title

    def test_names_priorities_in_words(
        self, ticket: ServiceTicket, desk: Client
    ) -> None:
        page = text_of(desk.get(url(ServiceTicket, "changelist")))

        assert "?priority__exact=1" in page
        assert all(word in page for word in ("Urgent", "Normal", "Lowest"))

    @pytest.mark.parametrize("model", [StockMovement, TicketEvent])
    def test_names_the_people(
        self, model: type, boss: User, ticket: ServiceTicket, desk: Client
    ) -> None:
        make_part(boss)
        User.objects.update(first_name="Ada", last_name="Boss")

        rows = text_of(desk.get(url(model, "changelist"))).split("<tbody")[1]
        page = text_of(desk.get(page_of(model._default_manager.first())))  # type: ignore[attr-defined]

        assert "Ada Boss" in rows
        assert boss.email not in rows
        assert "Ada Boss" in page

    def test_filters_by_a_priority(self, ticket: ServiceTicket, desk: Client) -> None:
        def count(priority: int) -> int:
            filters = {"priority__exact": priority}
            page = desk.get(url(ServiceTicket, "changelist"), filters)
            return int(page.context["cl"].result_count)

        assert (count(1), count(3)) == (0, 1)


class TestAForm:
    def test_returns_to_the_page_that_asked(
        self, ticket: ServiceTicket, desk: Client
    ) -> None:
        form = form_of(desk, page_of(ticket))

        saved = desk.post(page_of(ticket), form, QUERY_STRING=f"_back={BOARD}")

        assert saved["Location"] == BOARD

    @pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example"])
    def test_never_leads_to_another_host(
        self, elsewhere: str, ticket: ServiceTicket, desk: Client
    ) -> None:
        form = form_of(desk, page_of(ticket))

        saved = desk.post(page_of(ticket), form, QUERY_STRING=f"_back={elsewhere}")

        assert saved["Location"] == url(ServiceTicket, "changelist")

    def test_shows_the_cost_in_whole_units(self, boss: User) -> None:
        reader = make_user("vic", is_staff=True)
        reader.user_permissions.set(
            Permission.objects.filter(codename__in=["view_part", "view_margin"])
        )
        part = make_part(boss)
        Part.objects.filter(pk=part.pk).update(current_cost_cents=16_420)

        page = text_of(browser_of(reader).get(page_of(part)))

        assert "164.20" in page
        assert "16420" not in page
        assert "cost cents" not in page.lower()


class TestATicket:
    def test_cannot_be_paused_before_its_start(
        self, ticket: ServiceTicket, desk: Client
    ) -> None:
        moves = desk.get(page_of(ticket)).context["moves"]

        assert "Pause" not in [move["title"] for move in moves]

    def test_refuses_one_part_on_two_rows_in_plain_words(
        self, boss: User, ticket: ServiceTicket, desk: Client
    ) -> None:
        part, form = make_part(boss), form_of(desk, page_of(ticket))
        line = {"part": part.pk, "quantity_used": 1, "markup_percentage": "30"}
        for _ in range(2):
            form = add_row(form, "ticket_parts", **line)

        _, said = post(desk, page_of(ticket), form)

        assert "The same part stands on two rows. Keep one of them." in said
        assert "Please correct" not in said
        assert not ticket.ticket_parts.exists()

    def test_has_its_timeline_as_history(
        self, ticket: ServiceTicket, desk: Client
    ) -> None:
        answer = desk.get(page_of(ticket, "history"))

        assert answer["Location"] == f"{page_of(ticket)}#events"

    def test_tells_what_it_was_completed_without(
        self, boss: User, ticket: ServiceTicket, desk: Client
    ) -> None:
        services.move_ticket(ticket=ticket, status="in_progress", by=boss)

        complete = url(ServiceTicket, "complete_ticket", ticket.pk)
        _, said = answer_dialog(desk, complete)

        assert said.endswith("is completed. It has no mechanic and no parts.")

    def test_lacks_nothing_after_work(
        self, boss: User, ticket: ServiceTicket, desk: Client
    ) -> None:
        services.move_ticket(ticket=ticket, status="in_progress", by=boss)
        services.assign_mechanic(
            ticket=ticket, mechanic=make_mechanic(), by=boss, minutes_worked=5
        )
        services.install_part(
            ticket=ticket, part=make_part(boss), quantity_used=1, by=boss
        )

        complete = url(ServiceTicket, "complete_ticket", ticket.pk)
        _, said = answer_dialog(desk, complete)

        assert said.endswith("is completed.")


class TestADialog:
    def test_is_a_page_in_a_new_tab(self, ticket: ServiceTicket, desk: Client) -> None:
        dialog = url(ServiceTicket, "start_work", ticket.pk)

        page = text_of(desk.get(dialog))

        assert "<html" in page
        assert 'id="dialog"' in page

    def test_is_a_fragment_in_its_page(
        self, ticket: ServiceTicket, desk: Client
    ) -> None:
        dialog = url(ServiceTicket, "start_work", ticket.pk)

        assert "<html" not in text_of(desk.get(dialog, headers={"HX-Request": "true"}))


class TestTheJobSheet:
    def test_has_the_address_and_the_visible_notes(
        self, boss: User, ticket: ServiceTicket, desk: Client
    ) -> None:
        Customer.objects.update(
            address="1 Main St", city="Elko", state="NV", postal_code="89801"
        )
        for text, visible in (("Call first.", True), ("Pays late.", False)):
            services.add_note(
                ticket=ticket, by=boss, text=text, visible_to_customer=visible
            )

        sheet = text_of(desk.get(page_of(ticket, "print")))

        assert "1 Main St<br>Elko, NV 89801" in sheet
        assert "Call first." in sheet
        assert "Pays late." not in sheet


class TestARole:
    def test_cannot_be_deleted(self, desk: Client) -> None:
        role = Group.objects.get(name=MANAGER)

        assert desk.post(page_of(role, "delete"), {"post": "yes"}).status_code == 403
        assert "Delete group" not in text_of(desk.get(page_of(role)))

    def test_names_what_it_allows(self, desk: Client) -> None:
        page = text_of(desk.get(page_of(Group.objects.get(name=MANAGER))))

        assert "Tickets: add service ticket" in page
        assert "Tickets | service ticket | Can" not in page

"""What was sold keeps its number and name, whatever becomes of the part."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.core import row_batches
from tickets import backfill
from tickets.models import ServiceTicket, TicketPart
from tickets.services import install_part, move_ticket, remove_part
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

SOLD = {"part_number": "BRK-1", "part_name": "Ceramic pad"}
RENAMED = {"part_number": "BRK-99", "name": "Organic lining"}


@pytest.fixture
def part(db: None) -> Part:
    return PartFactory.create(
        part_number="BRK-1", name="Ceramic pad", quantity_in_stock=9
    )


@pytest.fixture
def line(owner: User, part: Part) -> TicketPart:
    ticket = TicketFactory.create(status="in_progress")
    return install_part(ticket=ticket, part=part, quantity_used=2, by=owner)


@pytest.fixture
def browser(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def rename(part: Part) -> None:
    for name, value in RENAMED.items():
        setattr(part, name, value)
    part.save()


def copy_of(line: TicketPart) -> dict[str, Any]:
    line.refresh_from_db()
    return {name: getattr(line, name) for name in SOLD}


class TestSoldPart:
    @pytest.mark.parametrize("status", ["in_progress", "completed"])
    def test_renaming_a_part_changes_no_line_in_the_api(
        self, shop: APIClient, line: TicketPart, part: Part, owner: User, status: str
    ) -> None:
        move_ticket(ticket=line.ticket, status=status, by=owner)

        shop.patch(f"/api/parts/{part.pk}", RENAMED)

        [shown] = shop.get(f"/api/service-tickets/{line.ticket_id}").json()[
            "ticket_parts"
        ]
        assert {name: shown[name] for name in SOLD} == SOLD

    @pytest.mark.parametrize("status", ["in_progress", "completed"])
    def test_renaming_a_part_changes_no_page_or_export(
        self, browser: Client, line: TicketPart, part: Part, owner: User, status: str
    ) -> None:
        move_ticket(ticket=line.ticket, status=status, by=owner)
        rename(part)
        pages = [
            reverse("admin:tickets_serviceticket_print", args=[line.ticket_id]),
            reverse("admin:tickets_serviceticket_change", args=[line.ticket_id]),
            reverse("admin:tickets_ticketpart_changelist"),
            reverse("admin:tickets_ticketpart_change", args=[line.pk]),
            reverse("admin:tickets_ticketpart_export", args=["csv"]),
        ]

        for page in pages:
            answer = browser.get(page)
            text = b"".join(answer) if answer.streaming else answer.content
            assert b"BRK-1" in text, page
            assert b"Ceramic pad" in text, page
            assert b"BRK-99" not in text, page
            assert b"Organic lining" not in text, page

    def test_event_of_a_removal_names_what_was_sold(
        self, line: TicketPart, part: Part, owner: User
    ) -> None:
        rename(part)

        remove_part(ticket=line.ticket, part=part, by=owner)

        detail = line.ticket.events.get(kind="part_removed").detail
        assert {name: detail[name] for name in SOLD} == SOLD

    def test_part_installed_after_it_was_renamed_has_the_new_name(
        self, part: Part, owner: User
    ) -> None:
        rename(part)

        line = install_part(
            ticket=TicketFactory.create(), part=part, quantity_used=1, by=owner
        )

        assert copy_of(line) == {"part_number": "BRK-99", "part_name": "Organic lining"}


class TestFilledCopies:
    @pytest.fixture
    def fill(self) -> Callable[[], int]:
        def fill() -> int:
            TicketPart.objects.update(part_number="", part_name="")
            return backfill.fill_part_copies(apps)

        return fill

    @pytest.fixture(autouse=True)
    def _installed_an_hour_ago(self, line: TicketPart) -> None:
        Part.history.update(history_date=timezone.now() - timedelta(days=1))
        line.installed_at = timezone.now() - timedelta(hours=1)
        line.save()

    def test_line_gets_the_history_of_its_installation(
        self, line: TicketPart, part: Part, fill: Callable[[], int]
    ) -> None:
        rename(part)

        assert fill() == 1
        assert copy_of(line) == SOLD

    def test_line_older_than_the_history_gets_the_present(
        self, line: TicketPart, part: Part, fill: Callable[[], int]
    ) -> None:
        rename(part)
        Part.history.all().delete()

        fill()

        assert copy_of(line) == {"part_number": "BRK-99", "part_name": "Organic lining"}

    def test_batches_reach_every_line(
        self,
        part: Part,
        owner: User,
        fill: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(row_batches, "BATCH_SIZE", 2)
        for ticket in TicketFactory.create_batch(4):
            install_part(ticket=ticket, part=part, quantity_used=1, by=owner)

        assert fill() == 5
        assert not TicketPart.objects.filter(part_number="").exists()

    def test_refresh_completes_lines_of_the_previous_release(
        self, line: TicketPart
    ) -> None:
        TicketPart.objects.update(part_number="", part_name="")

        call_command("refresh_copies", verbosity=0)

        assert copy_of(line) == SOLD


class TestQueries:
    def test_ticket_reads_no_parts_for_its_lines(
        self, shop: APIClient, line: TicketPart, django_assert_max_num_queries: Any
    ) -> None:
        with django_assert_max_num_queries(10) as queries:
            shop.get(f"/api/service-tickets/{ServiceTicket.objects.get().pk}")

        assert not [sql for sql in queries if "inventory_part" in sql["sql"]]

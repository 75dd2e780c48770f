"""The dashboard: the right figures for the rights of whoever looks, and cheaply."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from dashboard import figures
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from tests.support.back_office import (
    browser_of,
    make_customer,
    make_mechanic,
    make_part,
    make_ticket,
    make_user,
    make_vehicle,
    page_of,
    text_of,
)
from tickets import services
from tickets.models import ServiceTicket

pytestmark = pytest.mark.django_db

INDEX = "/admin/"


def holder_of(*permissions: str) -> User:
    """Make somebody with exactly these rights."""
    user = make_user("somebody")
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return User.objects.get(pk=user.pk)


def cards_of(client: Client) -> dict[str, str]:
    cards = client.get(INDEX).context["cards"]
    return {card["title"]: card["value"] for card in cards}


def links_of(client: Client) -> dict[str, str]:
    cards = client.get(INDEX).context["cards"]
    return {card["title"]: card["link"] for card in cards}


def dashboard_queries(user: User) -> int:
    user.has_perm("load.them")
    cache.delete(key_of(user))
    with CaptureQueriesContext(connection) as queries:
        figures.figures_for(user)
    return len(queries)


def key_of(user: User) -> str:
    return figures.cache_key(
        [name for name in figures.relevant_permissions() if user.has_perm(name)]
    )


def fill(by: User, first: int, last: int) -> None:
    for number in range(first, last):
        customer = make_customer(f"C{number}", email=f"c{number}@shop.test")
        ticket = make_ticket(by, make_vehicle(customer))
        mechanic, part = make_mechanic(f"M{number}"), make_part(by, f"P-{number}")
        services.assign_mechanic(ticket=ticket, mechanic=mechanic, by=by)
        services.install_part(ticket=ticket, part=part, quantity_used=1, by=by)


class TestTheFigures:
    def test_count_tickets_by_status(self, boss: User, desk: Client) -> None:
        for status in ("open", "in_progress", "in_progress", "waiting"):
            moved = make_ticket(boss)
            services.move_ticket(ticket=moved, status=status, by=boss)

        cards = cards_of(desk)

        assert (cards["Open"], cards["In progress"], cards["Waiting"]) == (
            "1",
            "2",
            "1",
        )

    def test_count_as_ready_what_was_not_handed_over(
        self, boss: User, desk: Client
    ) -> None:
        for days in (0, 8):
            done = make_ticket(boss)
            for status in ("in_progress", "completed"):
                services.move_ticket(ticket=done, status=status, by=boss)
            closed_at = timezone.now() - timedelta(days=days)
            ServiceTicket.objects.filter(pk=done.pk).update(closed_at=closed_at)
        services.hand_over(ticket=done, by=boss)

        assert cards_of(desk)["Ready"] == "1"

    def test_add_up_parts_and_minutes_of_unfinished_tickets(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        for each in (ticket, make_ticket(boss)):
            services.assign_mechanic(
                ticket=each,
                mechanic=make_mechanic(f"M{each.pk}"),
                minutes_worked=65,
                by=boss,
            )
            part = make_part(boss, f"P-{each.pk}")
            services.install_part(ticket=each, part=part, quantity_used=2, by=boss)
        services.move_ticket(ticket=each, status="cancelled", by=boss)

        cards = cards_of(desk)

        assert cards["Parts value"] == "3,209.70"
        assert cards["Time worked"] == "1 h 05 min"

    def test_link_to_the_rows_behind_them(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        make_part(boss)
        for status in ("in_progress", "completed"):
            services.move_ticket(ticket=ticket, status=status, by=boss)
        make_ticket(boss)

        for title, link in links_of(desk).items():
            page = desk.get(link)
            wanted = {"In progress": 0, "Waiting": 0}.get(title, 1)
            assert page.status_code == 200, title
            assert page.context["cl"].result_count == wanted, title

    def test_tell_days_apart(self, boss: User, desk: Client) -> None:
        old = make_ticket(boss)
        make_ticket(boss)
        yesterday = timezone.now() - timedelta(days=1)
        ServiceTicket.objects.filter(pk=old.pk).update(opened_at=yesterday)
        services.move_ticket(ticket=old, status="cancelled", by=boss)

        days = desk.get(INDEX).context["days"]

        assert [row[1:] for row in days["rows"][-2:]] == [(1, 0), (1, 1)]
        assert len(days["rows"]) == 30
        assert json.loads(days["data"])["datasets"][0]["data"][-2:] == [1, 1]

    def test_show_how_busy_each_active_mechanic_is(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        busy, _, gone = (make_mechanic(name) for name in ("Zoe", "Abe", "Cid"))
        services.assign_mechanic(
            ticket=ticket, mechanic=busy, minutes_worked=20, by=boss
        )
        services.assign_mechanic(ticket=ticket, mechanic=gone, by=boss)
        gone.is_active = False
        gone.save()

        rows = desk.get(INDEX).context["workload"]

        assert [
            (row["name"], row["tickets"], row["time"], row["percent"]) for row in rows
        ] == [("Zoe", 1, "20 min", 100), ("Abe", 0, "0 min", 0)]

    def test_list_parts_to_be_ordered_with_a_way_to_restock_them(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        make_part(boss, "ENOUGH", 50)
        make_part(boss, "SOME", 3)
        empty = make_part(boss, "EMPTY", 0)

        page = desk.get(INDEX)

        assert [row["number"] for row in page.context["low_stock"]] == ["EMPTY", "SOME"]
        restock = reverse("admin:inventory_part_receive_stock", args=[empty.pk])
        assert f'hx-get="{restock}"' in text_of(page)

    def test_tell_the_latest_events_without_money(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        services.install_part(
            ticket=ticket, part=make_part(boss), quantity_used=1, by=boss
        )
        services.move_ticket(ticket=ticket, status="in_progress", by=boss)
        services.update_ticket(ticket=ticket, priority=1, by=boss)
        services.add_note(ticket=ticket, text="a" * 200, by=boss)

        events = desk.get(INDEX).context["events"]

        assert [event["detail"] for event in events] == [
            f"{'a' * 80}…",
            "priority",
            "Open → In progress",
            "Brake pad",
            "",
        ]
        assert events[0]["link"] == page_of(ticket)


class TestWhoLooks:
    @pytest.mark.parametrize("role", [MANAGER, SERVICE_ADVISOR])
    def test_sees_the_value_of_parts_at_the_counter(
        self, role: str, ticket: ServiceTicket
    ) -> None:
        assert "Parts value" in cards_of(browser_of(make_user("ann", role)))

    def test_sees_no_money_in_the_workshop(
        self, boss: User, ticket: ServiceTicket
    ) -> None:
        part = make_part(boss, stock=3)
        services.install_part(ticket=ticket, part=part, quantity_used=1, by=boss)

        page = browser_of(make_user("tina", TECHNICIAN)).get(INDEX)

        assert "Parts value" not in text_of(page)
        assert "1,604" not in text_of(page)
        assert "1,234" not in text_of(page)

    def test_restocks_only_with_the_right_to(
        self, boss: User, ticket: ServiceTicket
    ) -> None:
        make_part(boss, stock=0)

        page = text_of(browser_of(make_user("tina", TECHNICIAN)).get(INDEX))

        assert "Low on stock" in page
        assert "Restock" not in page

    @pytest.mark.parametrize(
        ("permissions", "shown"),
        [
            (["inventory.view_part"], {"low_stock"}),
            (["tickets.view_serviceticket"], {"days"}),
            (["tickets.view_ticketevent"], set()),
            (
                ["tickets.view_serviceticket", "tickets.view_ticketevent"],
                {"days", "events"},
            ),
            (["mechanics.view_mechanic", "tickets.view_serviceticket"], {"days"}),
            (
                [
                    "mechanics.view_mechanic",
                    "tickets.view_serviceticket",
                    "tickets.view_ticketmechanic",
                ],
                {"days", "workload"},
            ),
        ],
    )
    def test_sees_the_sections_that_the_rights_cover(
        self,
        permissions: list[str],
        shown: set[str],
        boss: User,
        ticket: ServiceTicket,
    ) -> None:
        make_part(boss, stock=0)
        make_mechanic()

        page = browser_of(holder_of(*permissions)).get(INDEX)

        sections = {"days", "workload", "low_stock", "events"}
        assert {name for name in sections if page.context.get(name)} == shown

    def test_without_any_right_is_told_so(self, ticket: ServiceTicket) -> None:
        page = browser_of(holder_of()).get(INDEX)

        assert "Nothing to show yet" in text_of(page)
        assert not page.context["cards"]


class TestTheCache:
    def test_keeps_the_figures_for_a_minute(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        before = cards_of(desk)
        make_ticket(boss)

        assert cards_of(desk) == before
        assert figures.CACHE_SECONDS == 60

    def test_is_shared_by_those_with_the_same_rights_only(
        self, boss: User, ticket: ServiceTicket
    ) -> None:
        cards_of(browser_of(boss))
        first = browser_of(make_user("tina", TECHNICIAN))
        assert "Parts value" not in cards_of(first)
        make_ticket(boss)

        second = browser_of(make_user("tom", TECHNICIAN))

        assert cards_of(second)["Open"] == "1"

    def test_names_rights_and_nobody_in_its_keys(self, ticket: ServiceTicket) -> None:
        key = key_of(make_user("ann", MANAGER))

        figures.figures_for(make_user("bea", MANAGER))

        assert cache.get(key) is not None
        assert key.split(":") == ["dashboard", *figures.relevant_permissions()]
        # What other caches than the shop's take as a key, prefix and version included.
        assert len(key) < 230

    def test_holds_nothing_about_who_looks(
        self, boss: User, ticket: ServiceTicket
    ) -> None:
        viewer = make_user("Wilhelmina", MANAGER)

        assert "wilhelmina" not in repr(figures.figures_for(viewer)).lower()

    def test_forgets_rights_at_once(self, ticket: ServiceTicket) -> None:
        user = make_user("mia", MANAGER)
        client = browser_of(user)
        assert "Parts value" in cards_of(client)

        user.groups.clear()

        assert cards_of(client) == {}


class TestTheQueries:
    def test_are_at_most_eight_however_much_there_is(self, boss: User) -> None:
        fill(boss, 0, 3)
        few = dashboard_queries(boss)
        fill(boss, 3, 12)

        assert dashboard_queries(boss) == few == 8

    def test_are_at_most_eight_in_a_new_shop(self, boss: User) -> None:
        assert dashboard_queries(boss) == 8

    def test_are_none_within_the_minute(
        self, boss: User, ticket: ServiceTicket
    ) -> None:
        boss.has_perm("load.them")
        figures.figures_for(boss)

        with CaptureQueriesContext(connection) as queries:
            figures.figures_for(boss)

        assert len(queries) == 0


class TestANewShop:
    def test_is_led_to_its_first_ticket(self, boss: User, desk: Client) -> None:
        make_mechanic()

        page = desk.get(INDEX)

        assert [step["is_done"] for step in page.context["steps"]] == [
            True,
            False,
            False,
            False,
        ]
        assert "Set up the shop" in text_of(page)
        for step in page.context["steps"]:
            assert desk.get(step["link"]).status_code == 200

    def test_knows_what_is_done(self, boss: User, desk: Client) -> None:
        make_mechanic()
        make_part(boss)
        make_customer()

        steps: list[dict[str, Any]] = desk.get(INDEX).context["steps"]

        assert [step["is_done"] for step in steps] == [True, True, True, False]

    def test_sees_each_step_done_at_once(self, boss: User, desk: Client) -> None:
        assert not desk.get(INDEX).context["steps"][1]["is_done"]
        make_part(boss)

        assert desk.get(INDEX).context["steps"][1]["is_done"]

        make_ticket(boss)
        assert cards_of(desk)["Open"] == "1"

    def test_offers_only_what_the_person_may_do(self) -> None:
        page = browser_of(make_user("tina", TECHNICIAN)).get(INDEX)

        assert page.context["steps"] == []
        assert "No tickets yet" in text_of(page)

    def test_is_not_new_any_more_with_a_ticket(
        self, desk: Client, ticket: ServiceTicket
    ) -> None:
        assert desk.get(INDEX).context["steps"] is None


class TestTheShelf:
    def test_puts_what_ran_out_first(self, boss: User) -> None:
        for number, stock in (("B", 1), ("A", 1), ("C", 0)):
            make_part(boss, number, stock)

        parts = Part.objects.order_by_stock().values_list("part_number", flat=True)

        assert list(parts) == ["C", "A", "B"]

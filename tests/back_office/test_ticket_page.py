"""The page of a ticket: what it shows, to whom, and what it asks before it acts."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from customers.models import Customer, Vehicle
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR
from tests.support.back_office import (
    browser_of,
    make_customer,
    make_mechanic,
    make_part,
    make_ticket,
    make_user,
    make_vehicle,
    page_of,
    queries_of,
    text_of,
    url,
)
from tickets import services
from tickets.models import ServiceTicket

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    """A browser of somebody who sees tickets and nothing else."""
    user = make_user("vic")
    names = ("view_serviceticket", "view_ticketpart", "view_ticketevent")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return browser_of(user)


def install(ticket: ServiceTicket, by: User, number: str = "BRK-1") -> None:
    part = make_part(by, number)
    services.install_part(ticket=ticket, part=part, quantity_used=2, by=by)


def said_on(client: Client, ticket: ServiceTicket) -> list[str]:
    entries = client.get(page_of(ticket)).context["timeline"]
    return [f"{entry.by} {entry.sentence}" for entry in entries]


class TestTheHead:
    def test_names_and_links_customer_and_vehicle(
        self, boss: User, desk: Client
    ) -> None:
        vehicle = make_vehicle(make_customer("Ada"))
        Vehicle.objects.filter(pk=vehicle.pk).update(license_plate="AB 12")
        Customer.objects.filter(pk=vehicle.customer.pk).update(phone="555 0100")

        page = text_of(desk.get(page_of(make_ticket(boss, vehicle))))

        assert f'<a href="{page_of(vehicle)}">2019 VW Golf</a>' in page
        assert f'<a href="{page_of(vehicle.customer)}">Ada Lovelace</a>' in page
        assert 'href="tel:555 0100"' in page
        assert "AB 12" in page

    def test_links_only_to_what_the_person_may_open(
        self, boss: User, viewer: Client
    ) -> None:
        ticket = make_ticket(boss, make_vehicle(make_customer("Ada")))

        page = text_of(viewer.get(page_of(ticket)))

        assert "Ada Lovelace" in page
        assert page_of(ticket.customer) not in page
        assert "tel:" not in page

    def test_tells_status_priority_and_age(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)
        head = desk.get(page_of(ticket)).context["head"]
        assert (head["status"], head["priority"]) == ("Open", "Normal")
        assert head["age"] == "0\xa0minutes"

        services.move_ticket(ticket=ticket, status="cancelled", by=boss)

        head = desk.get(page_of(ticket)).context["head"]
        assert head["age"] == "Cancelled after 0\xa0minutes"

    def test_has_the_moves_that_are_allowed(self, boss: User, desk: Client) -> None:
        moves = desk.get(page_of(make_ticket(boss))).context["moves"]

        assert [move["title"] for move in moves] == [
            "Start work",
            "Cancel ticket",
            "Write a note",
        ]

    def test_shows_what_is_stored_above_a_form_with_errors(
        self, boss: User, desk: Client
    ) -> None:
        ticket = make_ticket(boss)

        answer = desk.post(page_of(ticket), {"priority": "99"})

        assert answer.status_code == 200
        assert answer.context["head"]["priority"] == "Normal"

    def test_of_an_erased_customer_links_nowhere(
        self, boss: User, desk: Client
    ) -> None:
        ticket = make_ticket(boss)
        services.move_ticket(ticket=ticket, status="cancelled", by=boss)
        desk.post(page_of(ticket.customer, "delete"), {"post": "yes"})

        page = text_of(desk.get(page_of(ticket)))

        assert "(erased)" in page
        assert f'href="{page_of(ticket.customer)}"' not in page


class TestThePartsTab:
    def test_shows_stock_and_totals(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)
        install(ticket, boss)

        answer = desk.get(page_of(ticket))

        totals = answer.context["totals"]
        assert (totals.price, totals.cost, totals.margin) == (
            "3,209.70",
            "2,469.00",
            "740.70",
        )
        assert "In stock" in text_of(answer)

    def test_hides_costs_from_those_who_may_not_see_parts(
        self, boss: User, viewer: Client
    ) -> None:
        ticket = make_ticket(boss)
        install(ticket, boss)

        answer = viewer.get(page_of(ticket))

        page = text_of(answer)
        assert answer.context["totals"].cost is None
        assert "3,209.70" in page
        assert "2,469.00" not in page
        assert "1,234.50" not in page
        assert "In stock" not in page

    def test_does_not_count_what_was_given_back(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)
        install(ticket, boss)
        services.move_ticket(ticket=ticket, status="cancelled", by=boss)

        assert desk.get(page_of(ticket)).context["totals"].price == "0.00"


class TestTheTimeline:
    def test_reads_as_sentences(self, boss: User, desk: Client) -> None:
        ticket, max_ = make_ticket(boss), make_mechanic("Max")
        services.assign_mechanic(
            ticket=ticket, mechanic=max_, by=boss, minutes_worked=30
        )
        services.change_assignment(
            ticket=ticket, mechanic=max_, by=boss, minutes_worked=45
        )
        install(ticket, boss)
        part = ticket.ticket_parts.get().part
        services.change_installed_part(
            ticket=ticket, part=part, by=boss, quantity_used=1, installed_by=max_
        )
        services.remove_part(ticket=ticket, part=part, by=boss)
        services.move_ticket(ticket=ticket, status="in_progress", by=boss)

        assert said_on(desk, ticket) == [
            "boss Staff moved it: Open → In progress",
            "boss Staff took 1 × BRK-1 Brake pad off it, back to the shelf",
            "boss Staff changed BRK-1 Brake pad,"
            " quantity used: 2 → 1, installed by: nothing → Max",
            "boss Staff installed 2 × BRK-1 Brake pad for 3,209.70",
            "boss Staff changed Max, minutes worked: 30 → 45",
            "boss Staff put Max (Technician) on it with 30 minutes",
            "boss Staff opened the ticket",
        ]

    def test_shows_notes_and_who_reads_them(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)
        services.add_note(
            ticket=ticket, by=boss, text="<b>Call</b>", visible_to_customer=True
        )

        answer = desk.get(page_of(ticket))

        entry = answer.context["timeline"][0]
        assert (entry.note, entry.event.visible_to_customer) == ("<b>Call</b>", True)
        assert "&lt;b&gt;Call&lt;/b&gt;" in text_of(answer)

    def test_keeps_a_changed_markup_from_those_who_see_no_costs(
        self, boss: User, desk: Client, viewer: Client
    ) -> None:
        ticket = make_ticket(boss)
        install(ticket, boss)
        part = ticket.ticket_parts.get().part
        services.change_installed_part(
            ticket=ticket, part=part, by=boss, markup_percentage=77
        )

        assert "30.0 → 77" in said_on(desk, ticket)[0]
        assert said_on(viewer, ticket)[0].endswith("markup percentage: … → …")

    def test_names_a_vehicle_and_not_its_id(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)
        other = make_vehicle(ticket.customer)
        services.update_ticket(ticket=ticket, by=boss, vehicle=other)

        assert "2019 VW Golf → 2019 VW Golf" in said_on(desk, ticket)[0]

    def test_costs_the_same_queries_for_any_number_of_rows(
        self, boss: User, desk: Client
    ) -> None:
        ticket = make_ticket(boss)
        fill(ticket, boss, range(3))
        desk.get(page_of(ticket))
        few = queries_of(desk, page_of(ticket))
        fill(ticket, boss, range(3, 12))

        assert queries_of(desk, page_of(ticket)) == few


def fill(ticket: ServiceTicket, by: User, numbers: range) -> None:
    for number in numbers:
        mechanic = make_mechanic(f"M{number}")
        services.assign_mechanic(ticket=ticket, mechanic=mechanic, by=by)
        install(ticket, by, f"P-{number}")


class TestSelectedTickets:
    def test_are_not_moved_before_somebody_said_yes(
        self, boss: User, desk: Client
    ) -> None:
        ticket = make_ticket(boss)
        data = {"action": "cancel_selected", "_selected_action": [ticket.pk]}

        page = text_of(desk.post(url(ServiceTicket, "changelist"), data))

        ticket.refresh_from_db()
        assert ticket.status == "open"
        assert "Cancel 1 ticket?" in page
        assert "Their parts go back on the shelf. This is final." in page
        assert 'value="yes"' in page

    def test_are_named_with_those_that_cannot_move(
        self, boss: User, desk: Client
    ) -> None:
        tickets = [make_ticket(boss), make_ticket(boss)]
        services.move_ticket(ticket=tickets[0], status="cancelled", by=boss)
        selected = [ticket.pk for ticket in tickets]
        data = {"action": "start_selected", "_selected_action": selected}

        answer = desk.post(url(ServiceTicket, "changelist"), data)

        assert answer.context["blocked"] == [tickets[0].pk]
        assert "Start work on 2 tickets?" in text_of(answer)

    def test_are_reported_in_words(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)
        data = {
            "action": "start_selected",
            "_selected_action": [ticket.pk],
            "post": "yes",
        }

        answer = desk.post(url(ServiceTicket, "changelist"), data, follow=True)

        said = [str(message) for message in answer.context["messages"]]
        assert said == ["1 ticket is in progress."]


class TestTheServiceHistory:
    @pytest.fixture
    def vehicle(self, boss: User) -> Vehicle:
        vehicle = make_vehicle()
        install(make_ticket(boss, vehicle), boss)
        return vehicle

    def test_stands_below_a_vehicle_and_its_customer(
        self, vehicle: Vehicle, desk: Client
    ) -> None:
        ticket = ServiceTicket.objects.get()

        for row, name in ((vehicle, "vehicle"), (vehicle.customer, "customer")):
            page = text_of(desk.get(page_of(row)))
            assert f'href="{page_of(ticket)}"' in page
            assert "It squeaks." in page
            assert "3,209.70" in page
            assert f"?{name}__id__exact={row.pk}" in page

    def test_leads_to_the_filtered_list(
        self, boss: User, vehicle: Vehicle, desk: Client
    ) -> None:
        make_ticket(boss)
        path = url(ServiceTicket, "changelist")

        for name, row in (("vehicle", vehicle), ("customer", vehicle.customer)):
            page = desk.get(path, {f"{name}__id__exact": row.pk})
            assert page.context["cl"].result_count == 1

    def test_is_hidden_from_those_who_see_no_tickets(self, vehicle: Vehicle) -> None:
        user = make_user("vic")
        names = ("view_vehicle", "view_customer")
        user.user_permissions.set(Permission.objects.filter(codename__in=names))

        page = text_of(browser_of(user).get(page_of(vehicle)))

        assert "It squeaks." not in page

    def test_does_not_keep_anybody_from_saving(self, vehicle: Vehicle) -> None:
        client = browser_of(make_user("sven", SERVICE_ADVISOR))
        form: dict[str, Any] = {
            "customer": vehicle.customer.pk,
            "year": "2020",
            "make": "VW",
            "model": "Golf",
            "service_tickets-TOTAL_FORMS": "1",
            "service_tickets-INITIAL_FORMS": "1",
        }

        answer = client.post(page_of(vehicle), form)

        vehicle.refresh_from_db()
        assert (answer.status_code, vehicle.year) == (302, 2020)

    @pytest.mark.parametrize("of_customer", [True, False])
    def test_takes_the_same_queries_for_any_number_of_tickets(
        self, of_customer: bool, boss: User, vehicle: Vehicle, desk: Client
    ) -> None:
        page = page_of(vehicle.customer if of_customer else vehicle)
        for number in range(2):
            install(make_ticket(boss, vehicle), boss, f"A-{number}")
        desk.get(page)
        few = queries_of(desk, page)
        for number in range(9):
            install(make_ticket(boss, vehicle), boss, f"B-{number}")

        assert queries_of(desk, page) == few

    def test_is_paged(self, boss: User, vehicle: Vehicle, desk: Client) -> None:
        for _ in range(25):
            make_ticket(boss, vehicle)
        oldest = ServiceTicket.objects.order_by("pk")[0]

        first = text_of(desk.get(page_of(vehicle)))
        second = text_of(desk.get(page_of(vehicle), {"service_tickets-page": "2"}))

        assert f'href="{page_of(oldest)}"' not in first
        assert f'href="{page_of(oldest)}"' in second


def test_the_print_link_is_on_the_page(boss: User, desk: Client) -> None:
    ticket = make_ticket(boss)
    sheet = reverse("admin:tickets_serviceticket_print", args=[ticket.pk])

    assert f'href="{sheet}"' in text_of(desk.get(page_of(ticket)))


class TestPickingAPart:
    ASKED = {
        "app_label": "tickets",
        "model_name": "ticketpart",
        "field_name": "part",
        "term": "BRK",
    }

    def test_tells_what_is_on_the_shelf(self, boss: User, desk: Client) -> None:
        make_part(boss, "BRK-1", stock=7)
        retired = make_part(boss, "BRK-2")
        retired.is_active = False
        retired.save()

        answer = desk.get(reverse("admin:tickets_serviceticket_parts"), self.ASKED)

        offered = [result["text"] for result in answer.json()["results"]]
        assert offered == ["BRK-1 Brake pad (7 in stock)"]

    def test_is_what_the_page_asks(self, boss: User, desk: Client) -> None:
        page = text_of(desk.get(page_of(make_ticket(boss))))

        assert reverse("admin:tickets_serviceticket_parts") in page

    def test_is_only_for_those_who_see_parts(self, viewer: Client) -> None:
        path = reverse("admin:tickets_serviceticket_parts")

        assert viewer.get(path, self.ASKED).status_code == 403

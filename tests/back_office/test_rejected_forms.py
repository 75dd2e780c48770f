"""A rule says no: the form comes back as it was typed, with a way out."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from customers.models import Vehicle
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import SERVICE_ADVISOR, TECHNICIAN
from mechanics.models import Mechanic
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
    run_action,
    text_of,
    url,
)
from tickets import services
from tickets.models import ServiceTicket

pytestmark = pytest.mark.django_db


def offers_on(response: Any) -> list[tuple[str, dict[str, Any], str]]:
    """Return the buttons beside errors: label, values, and what they agree to."""
    pattern = r'data-offer data-values="([^"]*)"(?: data-accepts="([^"]*)")?>([^<]*)<'
    found = re.findall(pattern, text_of(response))
    return [
        (unescape(label), json.loads(unescape(values)), accepts)
        for values, accepts, label in found
    ]


def take(client: Client, path: str, form: dict[str, Any], offer: Any) -> Any:
    """Post a form as the script does when somebody clicks an offer."""
    _, values, accepts = offer
    values = {
        name: value["id"] if isinstance(value, dict) else value
        for name, value in values.items()
    }
    more = {"_accepted": accepts} if accepts else {}
    return client.post(path, {**form, **values, **more, "_continue": "1"})


def typed(client: Client, ticket: ServiceTicket, **line: Any) -> dict[str, Any]:
    """Fill in a ticket's page: another problem, and one more part."""
    form = form_of(client, page_of(ticket)) | {"problem_description": "Knocks."}
    line = {"quantity_used": "20", "markup_percentage": "12,5", **line}
    return add_row(form, "ticket_parts", **line)


class TestRow:
    def test_keeps_what_was_typed_on_the_whole_page(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        form = typed(desk, ticket, part=make_part(boss, stock=13).pk)

        response, said = post(desk, page_of(ticket), form)

        page = text_of(response)
        assert response.status_code == 200
        assert said == "Only 13 of BRK-1 in stock, 20 requested."
        assert "Knocks." in page
        assert 'name="ticket_parts-0-quantity_used" value="20"' in page
        assert 'name="ticket_parts-0-markup_percentage" value="12,5"' in page
        assert "Brake pad" in page

    def test_says_it_at_the_field(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        enough, short = make_part(boss, "A"), make_part(boss, "B", stock=1)
        form = typed(desk, ticket, part=enough.pk, quantity_used="1")
        line = {"part": short.pk, "quantity_used": "2", "markup_percentage": "30"}
        form = add_row(form, "ticket_parts", **line)

        response, _ = post(desk, page_of(ticket), form)

        formsets = response.context["inline_admin_formsets"]
        rows = next(f.formset for f in formsets if f.formset.prefix == "ticket_parts")
        assert [[*row.errors] for row in rows] == [[], ["quantity_used"]]
        assert not response.context["adminform"].form.errors

    def test_leaves_nothing_half_done(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        enough, short = make_part(boss, "A"), make_part(boss, "B", stock=1)
        form = typed(desk, ticket, part=enough.pk, quantity_used="1")
        line = {"part": short.pk, "quantity_used": "2", "markup_percentage": "30"}
        form = add_row(form, "ticket_parts", **line)

        post(desk, page_of(ticket), form)

        ticket.refresh_from_db()
        assert ticket.problem_description == "It squeaks."
        assert (ticket.events.count(), ticket.ticket_parts.count()) == (1, 0)

    def test_can_be_saved_once_it_is_mended(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        form = typed(desk, ticket, part=make_part(boss, stock=13).pk)
        post(desk, page_of(ticket), form)

        form["ticket_parts-0-quantity_used"] = "3"
        response = desk.post(page_of(ticket), form)

        ticket.refresh_from_db()
        assert response.status_code == 302
        assert ticket.problem_description == "Knocks."

    def test_that_cannot_go_says_so(self, boss: User, desk: Client) -> None:
        vehicle = make_ticket(boss).vehicle
        form = form_of(desk, page_of(vehicle.customer)) | {"city": "Turin"}

        response, said = post(
            desk, page_of(vehicle.customer), {**form, "vehicles-0-DELETE": "on"}
        )

        assert response.status_code == 200
        assert "2019 VW Golf" in said
        assert 'value="Turin"' in text_of(response)
        assert Vehicle.objects.exists()


class TestOffer:
    def test_takes_what_there_is(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        form = typed(desk, ticket, part=make_part(boss, stock=13).pk)
        (offer,) = offers_on(desk.post(page_of(ticket), form))

        take(desk, page_of(ticket), form, offer)

        assert offer[0] == "Take 13"
        assert ticket.ticket_parts.get().quantity_used == 13
        assert Part.objects.get().quantity_in_stock == 0

    def test_counts_what_the_line_has_already(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        part = make_part(boss, stock=10)
        services.install_part(ticket=ticket, part=part, quantity_used=4, by=boss)
        form = form_of(desk, page_of(ticket))
        form["ticket_parts-0-quantity_used"] = "20"

        (offer,) = offers_on(desk.post(page_of(ticket), form))
        take(desk, page_of(ticket), form, offer)

        assert offer[0] == "Take 10"
        assert ticket.ticket_parts.get().quantity_used == 10

    def test_is_not_made_where_there_is_nothing(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        form = typed(desk, ticket, part=make_part(boss, stock=0).pk)

        assert offers_on(desk.post(page_of(ticket), form)) == []

    def test_reactivates_a_mechanic_and_saves(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        mechanic = make_mechanic("Kofi", is_active=False)
        form = form_of(desk, page_of(ticket))
        row = {"mechanic": mechanic.pk, "role": "Lead", "minutes_worked": "30"}
        form = add_row(form, "ticket_mechanics", **row)

        (offer,) = offers_on(desk.post(page_of(ticket), form))
        take(desk, page_of(ticket), form, offer)

        assert offer[0] == "Reactivate Kofi"
        assert Mechanic.objects.get().is_active
        assert ticket.ticket_mechanics.get().minutes_worked == 30

    def test_is_undone_with_a_form_that_is_not_saved(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        mechanic = make_mechanic("Kofi", is_active=False)
        form = form_of(desk, page_of(ticket)) | {"odometer_miles": "many"}
        accepted = {"_accepted": f"reactivate_mechanic:{mechanic.pk}"}

        response = desk.post(page_of(ticket), {**form, **accepted})

        assert response.status_code == 200
        assert not Mechanic.objects.get().is_active

    def test_needs_the_permission_for_it(self, boss: User) -> None:
        ticket, mechanic = make_ticket(boss), make_mechanic("Kofi", is_active=False)
        advisor = browser_of(make_user("ann", SERVICE_ADVISOR))
        form = form_of(advisor, page_of(ticket))
        row = {"mechanic": mechanic.pk, "role": "Lead", "minutes_worked": "30"}
        form = add_row(form, "ticket_mechanics", **row)
        accepted = {"_accepted": f"reactivate_mechanic:{mechanic.pk}"}

        offers = offers_on(advisor.post(page_of(ticket), form))
        response = advisor.post(page_of(ticket), {**form, **accepted})

        assert (offers, response.status_code) == ([], 403)
        assert not Mechanic.objects.get().is_active

    @pytest.mark.parametrize("accepted", ["delete:1", "reopen:x", "reopen", "save:1"])
    def test_is_only_what_the_page_offers(
        self, accepted: str, desk: Client, ticket: ServiceTicket
    ) -> None:
        form = form_of(desk, page_of(ticket))

        response = desk.post(page_of(ticket), {**form, "_accepted": accepted})

        assert response.status_code == 403

    def test_keeps_a_part_again(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        part = make_part(boss, stock=50)
        Part.objects.update(is_active=False)
        form = typed(desk, ticket, part=part.pk)

        (offer,) = offers_on(desk.post(page_of(ticket), form))
        take(desk, page_of(ticket), form, offer)

        assert Part.objects.get().is_active
        assert ticket.ticket_parts.get().quantity_used == 20

    def test_chooses_the_owner_of_the_vehicle(
        self, desk: Client, ticket: ServiceTicket
    ) -> None:
        other = make_vehicle(make_customer("Bob"))
        form = form_of(desk, page_of(ticket)) | {"vehicle": other.pk}

        (offer,) = offers_on(desk.post(page_of(ticket), form))
        take(desk, page_of(ticket), form, offer)

        ticket.refresh_from_db()
        assert offer[0] == "Choose Bob Lovelace"
        assert (ticket.vehicle, ticket.customer) == (other, other.customer)

    def test_reopens_a_ticket_that_was_completed_meanwhile(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        form = form_of(desk, page_of(ticket)) | {"problem_description": "Knocks."}
        for status in ("in_progress", "completed"):
            services.move_ticket(ticket=ticket, status=status, by=boss)

        (offer,) = offers_on(desk.post(page_of(ticket), form))
        take(desk, page_of(ticket), form, offer)

        ticket.refresh_from_db()
        assert offer[0] == "Reopen and save"
        assert (ticket.status, ticket.problem_description) == ("in_progress", "Knocks.")

    def test_escapes_names(self, boss: User, desk: Client) -> None:
        ticket, other = make_ticket(boss), make_vehicle(make_customer("<b>Bob"))
        form = form_of(desk, page_of(ticket)) | {"vehicle": other.pk}

        assert "<b>Bob" not in text_of(desk.post(page_of(ticket), form))


class TestVersion:
    def test_of_a_rejected_form_is_the_one_it_was_typed_on(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        form = typed(desk, ticket, part=make_part(boss, stock=1).pk)
        page = text_of(desk.get(page_of(ticket)))
        seen = re.search(r'name="_seen" value="([^"]*)"', page)
        assert seen is not None
        form["_seen"] = seen[1]

        page = text_of(desk.post(page_of(ticket), form))
        services.update_ticket(ticket=ticket, by=boss, priority=1)
        form["ticket_parts-0-quantity_used"] = "1"
        response = desk.post(page_of(ticket), form)

        assert f'name="_seen" value="{seen[1]}"' in page
        assert response.status_code == 409


class TestDialog:
    HTMX: dict[str, str] = {"HX-Request": "true"}

    def test_stays_open_with_what_was_typed(self, boss: User, desk: Client) -> None:
        part = make_part(boss, stock=5)
        body = {"_form_submitted": "True", "adjustment": "-6", "reason": "adjust"}

        response = desk.post(
            page_of(part, "adjust_stock"), {**body, "note": "Lost."}, headers=self.HTMX
        )

        page = text_of(response)
        assert 'id="dialog-form"' in page
        assert "Only 5 of BRK-1 in stock, 6 requested." in page
        assert 'value="-6"' in page
        assert 'value="Lost."' in page
        assert offers_on(response) == [("Take away 5", {"adjustment": -5}, "")]

    def test_without_fields_says_why_not(
        self, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        path = page_of(ticket, "start_work")
        services.move_ticket(ticket=ticket, status="cancelled", by=boss)

        response = desk.post(path, {"_form_submitted": "True"}, headers=self.HTMX)

        assert "cannot become" in text_of(response)
        assert 'id="dialog-form"' in text_of(response)

    def test_without_scripts_goes_back_to_the_row(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)
        body = {"adjustment": "-6", "reason": "adjust"}

        response, said = answer_dialog(desk, page_of(part, "adjust_stock"), **body)

        assert response.status_code == 302
        assert said == "Only 5 of BRK-1 in stock, 6 requested."


class TestSelection:
    def test_of_a_rejected_move_stays(self, boss: User, desk: Client) -> None:
        tickets = [make_ticket(boss), make_ticket(boss)]
        services.move_ticket(ticket=tickets[1], status="cancelled", by=boss)
        body = {"action": "start_selected", "_selected_action": [t.pk for t in tickets]}

        response = desk.post(url(ServiceTicket, "changelist"), {**body, "post": "yes"})

        page = text_of(response)
        assert "A ticket that is cancelled cannot become in progress." in page
        for ticket in tickets:
            assert f'name="_selected_action" value="{ticket.pk}"' in page
        assert "Yes, start work on the other 1 ticket" in page

    def test_can_leave_out_what_cannot_move(self, boss: User, desk: Client) -> None:
        tickets = [make_ticket(boss), make_ticket(boss)]
        services.move_ticket(ticket=tickets[1], status="cancelled", by=boss)

        said = run_action(desk, "start_selected", tickets, leave_out="blocked")

        moved = [*ServiceTicket.objects.order_by("pk")]
        assert said == "1 ticket is in progress."
        assert [row.status for row in moved] == ["in_progress", "cancelled"]

    def test_of_a_rejected_delete_stays(self, boss: User, desk: Client) -> None:
        ticket = make_ticket(boss)
        services.install_part(
            ticket=ticket, part=make_part(boss), quantity_used=1, by=boss
        )
        body = {"action": "delete_selected", "_selected_action": ticket.pk}

        response = desk.post(url(ServiceTicket, "changelist"), {**body, "post": "yes"})

        assert "Cancel it" in text_of(response)
        assert f'name="_selected_action" value="{ticket.pk}"' in text_of(response)

    def test_of_a_rejected_deactivation_stays(self, boss: User, desk: Client) -> None:
        colleague = make_user("tina", TECHNICIAN)
        rows = [colleague.pk, boss.pk]
        body = {"action": "deactivate_selected", "_selected_action": rows}

        response = desk.post(url(User, "changelist"), {**body, "confirmed": "yes"})

        colleague.refresh_from_db()
        assert "You cannot close your own login." in text_of(response)
        assert f'name="_selected_action" value="{colleague.pk}"' in text_of(response)
        assert colleague.is_active

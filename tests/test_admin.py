"""The back office: it shows everything, obeys the services and says no in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Customer, Vehicle
from inventory.models import Part, StockMovement
from inventory.services import add_part
from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.services import start_session
from mechanic_shop.core.money import format_cents
from mechanics.models import Mechanic
from tickets import services
from tickets.models import ServiceTicket, TicketEvent, TicketMechanic, TicketPart

pytestmark = pytest.mark.django_db

SHOP_MODELS: list[type[Model]] = [
    User,
    Group,
    Session,
    Customer,
    Vehicle,
    Mechanic,
    Part,
    StockMovement,
    ServiceTicket,
    TicketMechanic,
    TicketPart,
    TicketEvent,
]
READ_ONLY: list[type[Model]] = [
    Session,
    StockMovement,
    TicketMechanic,
    TicketPart,
    TicketEvent,
]


# --- Data -----------------------------------------------------------------------------


def make_user(name: str, group: str | None = None, **fields: Any) -> User:
    user = User.objects.create_user(
        f"{name}@shop.test",
        "correct horse battery",
        **{"first_name": name, "last_name": "Staff", "is_staff": True, **fields},
    )
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def make_customer(name: str = "Ada", **fields: Any) -> Customer:
    return Customer.objects.create(
        first_name=name, last_name="Lovelace", phone="1", **fields
    )


def make_vehicle(customer: Customer | None = None) -> Vehicle:
    return Vehicle.objects.create(
        customer=customer or make_customer(), make="VW", model="Golf", year=2019
    )


def make_mechanic(name: str = "Max", **fields: Any) -> Mechanic:
    return Mechanic.objects.create(
        full_name=name,
        email=f"{name.lower()}@mechanics.test",
        phone="1",
        **{"salary": 54_321, **fields},
    )


def make_part(by: User, number: str = "BRK-1", stock: int = 5) -> Part:
    return add_part(
        by=by,
        part_number=number,
        name="Brake pad",
        current_cost_cents=123_450,
        quantity_in_stock=stock,
    )


def make_ticket(by: User, vehicle: Vehicle | None = None) -> ServiceTicket:
    return services.open_ticket(
        vehicle=vehicle or make_vehicle(),
        by=by,
        problem_description="It squeaks.",
        odometer_miles=1000,
    )


def fill_shop(by: User, first: int, last: int) -> None:
    """Add a whole story of a ticket for each number."""
    for number in range(first, last):
        customer = make_customer(f"Customer{number}", email=f"c{number}@test.test")
        ticket = make_ticket(by, make_vehicle(customer))
        mechanic = make_mechanic(f"Mechanic{number}")
        part = make_part(by, f"P-{number}")
        services.assign_mechanic(ticket=ticket, mechanic=mechanic, by=by)
        services.install_part(
            ticket=ticket, part=part, quantity_used=1, by=by, installed_by=mechanic
        )
        user = make_user(f"user{number}", TECHNICIAN)
        start_session(user=user)
        Group.objects.create(name=f"Group {number}")


@pytest.fixture
def boss() -> User:
    return make_user("boss", is_superuser=True)


@pytest.fixture
def desk(boss: User) -> Client:
    """A browser in which the superuser is signed in."""
    return browser_of(boss)


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# --- Browsing -------------------------------------------------------------------------


def url(model: type[Model], page: str, *args: Any) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


def page_of(row: Model, page: str = "change") -> str:
    return url(type(row), page, row.pk)


def text_of(response: Any) -> str:
    content: str = response.content.decode()
    return content


def form_of(client: Client, path: str) -> dict[str, Any]:
    """Collect what a browser would post if it changed nothing on a page."""
    context = client.get(path).context
    formsets = [inline.formset for inline in context["inline_admin_formsets"]]
    forms = [context["adminform"].form]
    for formset in formsets:
        forms += [formset.management_form, *formset.forms]
    return {
        bound.html_name: "" if bound.value() is None else bound.value()
        for form in forms
        for bound in form
        if not bound.field.disabled
        and bound.value() is not False
        and bound.name != "password"
    }


def add_row(data: dict[str, Any], prefix: str, **values: Any) -> dict[str, Any]:
    """Fill in one more row of an inline, as the page's script does."""
    number = int(data[f"{prefix}-TOTAL_FORMS"])
    row = {f"{prefix}-{number}-{name}": value for name, value in values.items()}
    return {**data, **row, f"{prefix}-TOTAL_FORMS": number + 1}


def post(client: Client, path: str, data: dict[str, Any]) -> tuple[Any, str]:
    """Post a form; return the answer and everything the next page says."""
    response = client.post(path, data)
    if response.status_code != 302:
        return response, ""
    messages = client.get(response["Location"]).context["messages"]
    return response, " ".join(str(message) for message in messages)


def answer_dialog(client: Client, path: str, **data: Any) -> tuple[Any, str]:
    """Submit the dialog behind a button, with the mark that it was submitted."""
    return post(client, path, {"_form_submitted": "True", **data})


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


class TestThePages:
    def test_exist_for_every_model_of_the_shop(self) -> None:
        assert {model for model in SHOP_MODELS if admin.site.is_registered(model)} == {
            *SHOP_MODELS
        }

    @pytest.mark.parametrize("model", SHOP_MODELS)
    def test_list_and_search_their_rows(
        self, model: type[Model], boss: User, desk: Client
    ) -> None:
        fill_shop(boss, 0, 2)

        assert desk.get(url(model, "changelist")).status_code == 200
        assert desk.get(url(model, "changelist"), {"q": "1"}).status_code == 200
        assert desk.get(url(model, "changelist"), {"q": "golf"}).status_code == 200

    @pytest.mark.parametrize("model", SHOP_MODELS)
    def test_show_one_row(self, model: type[Model], boss: User, desk: Client) -> None:
        fill_shop(boss, 0, 1)
        row = model._default_manager.all()[0]

        assert desk.get(page_of(row)).status_code == 200
        assert desk.get(page_of(row, "history")).status_code == 200

    @pytest.mark.parametrize("model", SHOP_MODELS)
    def test_add_only_what_no_service_writes(
        self, model: type[Model], desk: Client
    ) -> None:
        expected = 403 if model in READ_ONLY else 200

        assert desk.get(url(model, "add")).status_code == expected

    @pytest.mark.parametrize("model", SHOP_MODELS)
    def test_take_the_same_number_of_queries_for_any_number_of_rows(
        self, model: type[Model], boss: User, desk: Client
    ) -> None:
        fill_shop(boss, 0, 3)
        desk.get(url(model, "changelist"))
        few = queries_of(desk, url(model, "changelist"))
        fill_shop(boss, 3, 12)

        assert queries_of(desk, url(model, "changelist")) == few

    @pytest.mark.parametrize(("stock", "shown"), [("low", 1), ("enough", 2)])
    def test_filter_parts_by_stock(
        self, stock: str, shown: int, boss: User, desk: Client
    ) -> None:
        for number, units in (("A", 5), ("B", 6), ("C", 7)):
            make_part(boss, number, units)

        page = desk.get(url(Part, "changelist"), {"stock": stock})

        assert page.context["cl"].result_count == shown

    def test_do_not_filter_sessions_by_their_secrets(self, desk: Client) -> None:
        for secret in ("refresh_jti__startswith", "auth_hash__startswith"):
            page = desk.get(url(Session, "changelist"), {secret: "a"})
            assert page.status_code == 400

    def test_name_only_what_the_person_may_see(self) -> None:
        index = text_of(browser_of(make_user("tina", TECHNICIAN)).get("/admin/"))

        assert url(ServiceTicket, "changelist") in index
        assert url(User, "changelist") not in index

    def test_leave_out_erased_customers_and_their_vehicles(self, boss: User) -> None:
        desk, ticket = browser_of(boss), make_ticket(boss)
        services.move_ticket(ticket=ticket, status="cancelled", by=boss)

        post(desk, page_of(ticket.customer, "delete"), {"post": "yes"})

        assert Customer.objects.get().erased_at is not None
        assert desk.get(url(Customer, "changelist")).context["cl"].result_count == 0
        assert desk.get(url(Vehicle, "changelist")).context["cl"].result_count == 0
        assert "(erased)" in text_of(desk.get(url(ServiceTicket, "changelist")))


class TestMoney:
    @pytest.mark.parametrize(
        ("cents", "shown"),
        [(0, "0.00"), (5, "0.05"), (123_450, "1,234.50"), (-150, "-1.50")],
    )
    def test_is_written_as_money(self, cents: int, shown: str) -> None:
        assert format_cents(cents) == shown

    def test_is_shown_as_money_in_the_list(self, boss: User, desk: Client) -> None:
        make_part(boss)

        assert "1,234.50" in text_of(desk.get(url(Part, "changelist")))

    def test_is_typed_as_money_and_kept_in_cents(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss)
        form = form_of(desk, page_of(part))
        assert form["current_cost_cents"] == "1234.50"

        post(desk, page_of(part), {**form, "current_cost_cents": "99.95"})

        part.refresh_from_db()
        assert part.current_cost_cents == 9995


class TestAPartsPage:
    def test_adds_a_part_whose_first_units_are_a_movement(
        self, boss: User, desk: Client
    ) -> None:
        form = form_of(desk, url(Part, "add"))
        form |= {"name": "Bulb", "current_cost_cents": "2", "quantity_in_stock": "7"}

        post(desk, url(Part, "add"), form)

        part = Part.objects.get()
        assert (part.quantity_in_stock, part.part_number[:2]) == (7, "P-")
        assert part.movements.get().by == boss

    def test_does_not_take_stock_from_a_posted_form(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)
        form = form_of(desk, page_of(part))

        post(desk, page_of(part), {**form, "name": "Pad", "quantity_in_stock": "500"})

        part.refresh_from_db()
        assert (part.name, part.quantity_in_stock) == ("Pad", 5)
        assert part.movements.count() == 1

    def test_refuses_a_number_that_differs_only_in_case(
        self, boss: User, desk: Client
    ) -> None:
        make_part(boss, "BRK-1")
        form = form_of(desk, url(Part, "add"))
        form |= {"part_number": "brk-1", "name": "Pad", "current_cost_cents": "2"}

        answer, _ = post(desk, url(Part, "add"), form)

        assert "A part with this number exists already." in text_of(answer)

    def test_adjusts_stock_with_a_movement_by_the_user(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)
        dialog = url(Part, "adjust_stock", part.pk)

        _, said = answer_dialog(desk, dialog, adjustment="-2", reason="adjust")

        part.refresh_from_db()
        assert (part.quantity_in_stock, said) == (3, "3 in stock.")
        assert part.movements.all()[0].by == boss

    def test_counts_stock(self, boss: User, desk: Client) -> None:
        part = make_part(boss, stock=5)

        answer_dialog(desk, url(Part, "count_stock", part.pk), counted="9")

        assert list(part.movements.values_list("delta", flat=True)) == [4, 5]

    def test_says_in_words_that_stock_cannot_be_negative(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)
        dialog = url(Part, "adjust_stock", part.pk)

        _, said = answer_dialog(desk, dialog, adjustment="-6", reason="adjust")

        assert said == "Only 5 of BRK-1 in stock, 6 requested."
        assert part.movements.count() == 1

    def test_sends_the_dialog_back_to_the_page_with_htmx(
        self, boss: User, desk: Client
    ) -> None:
        part = make_part(boss)

        answer = desk.post(
            url(Part, "count_stock", part.pk),
            {"counted": "9", "_form_submitted": "True"},
            headers={"HX-Request": "true"},
        )

        assert answer["HX-Redirect"] == page_of(part)

    def test_does_not_change_anything_on_get(self, boss: User, desk: Client) -> None:
        part = make_part(boss, stock=5)

        answer = desk.get(url(Part, "count_stock", part.pk), {"counted": "9"})

        assert answer.status_code == 200
        assert part.movements.count() == 1

    def test_keeps_stock_from_those_who_may_not_adjust_it(self, boss: User) -> None:
        part = make_part(boss)
        client = browser_of(make_user("tina", TECHNICIAN))

        answer, _ = answer_dialog(
            client, url(Part, "count_stock", part.pk), counted="9"
        )

        assert answer.status_code == 403
        assert "Count stock" not in text_of(client.get(page_of(part)))

    def test_lets_an_advisor_adjust_what_they_may_not_edit(self, boss: User) -> None:
        part = make_part(boss)
        client = browser_of(make_user("sven", SERVICE_ADVISOR))

        assert "Count stock" in text_of(client.get(page_of(part)))
        answer_dialog(client, url(Part, "count_stock", part.pk), counted="9")

        assert part.movements.count() == 2

    def test_deletes_a_part_with_its_movements(self, boss: User, desk: Client) -> None:
        part = make_part(boss)

        post(desk, page_of(part, "delete"), {"post": "yes"})

        assert not Part.objects.exists()

    def test_says_in_words_that_a_used_part_stays(
        self, boss: User, desk: Client
    ) -> None:
        fill_shop(boss, 0, 1)
        part = Part.objects.get()

        _, said = post(desk, page_of(part, "delete"), {"post": "yes"})

        assert "was used on a service ticket" in said
        assert Part.objects.exists()


class TestATicketsPage:
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
        assert "priority: 3 → 1" in text_of(desk.get(page_of(ticket)))

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
        assert answer["Location"] == page_of(ticket)
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


class TestMovingATicket:
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


def run_action(client: Client, name: str, rows: list[Any], **more: Any) -> str:
    """Run an action on selected rows, with the answer to the page that asks first.

    Return what the list says afterwards.
    """
    selected = [row.pk for row in rows]
    data = {"action": name, "_selected_action": selected, "post": "yes", **more}
    return post(client, url(type(rows[0]), "changelist"), data)[1]


class TestDeletingSelectedRows:
    def test_goes_through_the_service_and_leaves_nothing_half_done(
        self, boss: User, desk: Client
    ) -> None:
        tickets = [make_ticket(boss), make_ticket(boss)]
        services.install_part(
            ticket=tickets[0], part=make_part(boss), quantity_used=1, by=boss
        )

        said = run_action(desk, "delete_selected", tickets, post="yes")

        assert "Cancel it" in said
        assert ServiceTicket.objects.count() == 2
        assert not LogEntry.objects.exists()

    def test_deletes_what_may_go(self, boss: User, desk: Client) -> None:
        run_action(desk, "delete_selected", [make_part(boss)], post="yes")
        run_action(desk, "delete_selected", [make_customer()], post="yes")
        run_action(desk, "delete_selected", [make_mechanic()], post="yes")

        assert not Part.objects.exists()
        assert not Customer.objects.exists()
        assert not Mechanic.objects.exists()

    @pytest.mark.parametrize("model", [Vehicle, Mechanic, Part, Customer])
    def test_says_in_words_what_stays(
        self, model: type[Model], boss: User, desk: Client
    ) -> None:
        fill_shop(boss, 0, 1)

        said = run_action(
            desk, "delete_selected", [model._default_manager.get()], post="yes"
        )

        assert "ticket" in said
        assert model._default_manager.exists()


class TestACustomersPage:
    def test_keeps_one_address_with_the_login(self, desk: Client) -> None:
        login = make_user("ada", is_staff=False)
        customer = make_customer(user=login, email=login.email)
        form = form_of(desk, page_of(customer))

        post(desk, page_of(customer), {**form, "email": " New@Shop.test "})

        login.refresh_from_db()
        assert login.email == "new@shop.test"

    def test_says_in_words_that_an_address_is_taken(
        self, boss: User, desk: Client
    ) -> None:
        login = make_user("ada", is_staff=False)
        customer = make_customer(user=login, email=login.email)
        form = form_of(desk, page_of(customer))

        _, said = post(desk, page_of(customer), {**form, "email": boss.email})

        assert said == "This email address is already in use."

    def test_does_not_link_a_login_by_hand(self, boss: User, desk: Client) -> None:
        customer = make_customer()
        form = form_of(desk, page_of(customer))

        post(desk, page_of(customer), {**form, "user": boss.pk})

        customer.refresh_from_db()
        assert customer.user is None

    def test_adds_a_vehicle_below_a_new_customer(self, desk: Client) -> None:
        form = form_of(desk, url(Customer, "add"))
        form |= {"first_name": "Ada", "last_name": "Lovelace", "phone": "1"}
        form = add_row(form, "vehicles", year="2019", make="VW", model="Golf")

        post(desk, url(Customer, "add"), form)

        assert Vehicle.objects.get().customer == Customer.objects.get()

    def test_mails_an_invitation(
        self,
        desk: Client,
        mailoutbox: list[Any],
        django_capture_on_commit_callbacks: Callable[..., Any],
    ) -> None:
        customer = make_customer(email="ada@test.test")

        with django_capture_on_commit_callbacks(execute=True):
            answer_dialog(desk, url(Customer, "invite", customer.pk))

        assert [mail.to for mail in mailoutbox] == [["ada@test.test"]]

    def test_says_in_words_that_there_is_no_address_to_invite(
        self, desk: Client
    ) -> None:
        customer = make_customer()

        _, said = answer_dialog(desk, url(Customer, "invite", customer.pk))

        assert said == "The customer has no email address."

    def test_deletes_a_vehicle_without_history(self, desk: Client) -> None:
        customer = make_vehicle().customer
        form = form_of(desk, page_of(customer))

        post(desk, page_of(customer), {**form, "vehicles-0-DELETE": "on"})

        assert not customer.vehicles.exists()


class TestAVehiclesPage:
    def test_adds_one_with_its_vin_in_the_stored_spelling(self, desk: Client) -> None:
        form = form_of(desk, url(Vehicle, "add"))
        form |= {"customer": make_customer().pk, "make": "Honda", "model": "Accord"}

        post(
            desk,
            url(Vehicle, "add"),
            {**form, "year": "2003", "vin": "1hgcm82633a004352"},
        )

        assert Vehicle.objects.get().vin == "1HGCM82633A004352"

    def test_hands_it_to_another_customer(self, desk: Client) -> None:
        vehicle, bob = make_vehicle(), make_customer("Bob")
        form = form_of(desk, page_of(vehicle))

        post(desk, page_of(vehicle), {**form, "customer": bob.pk, "color": "red"})

        vehicle.refresh_from_db()
        assert (vehicle.customer, vehicle.color) == (bob, "red")

    def test_refuses_a_new_owner_while_a_ticket_is_open(
        self, boss: User, desk: Client
    ) -> None:
        vehicle, bob = make_ticket(boss).vehicle, make_customer("Bob")
        form = form_of(desk, page_of(vehicle))

        _, said = post(desk, page_of(vehicle), {**form, "customer": bob.pk})

        vehicle.refresh_from_db()
        assert said == "This vehicle has an open service ticket."
        assert vehicle.customer != bob


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


class TestAUsersPage:
    @pytest.fixture
    def manager(self) -> User:
        user = make_user("mia", MANAGER)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="accounts")
        )
        return user

    def test_adds_a_login_by_email_address(self, desk: Client) -> None:
        form = {
            "email": " New@Shop.test ",
            "first_name": "New",
            "last_name": "Person",
            "usable_password": "true",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
        }

        post(desk, url(User, "add"), form)

        user = User.objects.get(email="new@shop.test")
        assert user.check_password("correct horse battery")

    def test_changes_a_password(self, desk: Client) -> None:
        user = make_user("tina")
        form = dict.fromkeys(("password1", "password2"), "another horse battery")

        post(
            desk,
            reverse("admin:auth_user_password_change", args=[user.pk]),
            {**form, "usable_password": "true"},
        )

        user.refresh_from_db()
        assert user.check_password("another horse battery")

    def test_lets_a_manager_give_a_role_and_no_more(self, manager: User) -> None:
        user, client = make_user("tina"), browser_of(manager)
        role = Group.objects.get(name=TECHNICIAN)
        form = form_of(client, page_of(user))
        assert "user_permissions" not in form

        powers = {"is_superuser": "on", "user_permissions": ["1"]}
        post(client, page_of(user), {**form, **powers, "groups": [role.pk]})

        user.refresh_from_db()
        assert list(user.groups.all()) == [role]
        assert not user.is_superuser
        assert not user.user_permissions.exists()

    def test_offers_a_manager_only_the_three_roles(self, manager: User) -> None:
        other, user = Group.objects.create(name="Owners"), make_user("tina")
        client = browser_of(manager)
        form = form_of(client, page_of(user))

        post(client, page_of(user), {**form, "groups": [other.pk]})

        assert not user.groups.exists()

    def test_keeps_a_manager_from_a_superusers_account(
        self, manager: User, boss: User
    ) -> None:
        client = browser_of(manager)

        assert client.post(page_of(boss), {"email": "x@y.test"}).status_code == 403
        assert client.post(page_of(boss, "delete"), {"post": "yes"}).status_code == 403
        data = {"action": "delete_selected", "_selected_action": boss.pk, "post": "yes"}
        assert client.post(url(User, "changelist"), data).status_code == 403
        assert User.objects.filter(pk=boss.pk).exists()

    def test_keeps_a_manager_from_passwords(self, manager: User) -> None:
        path = reverse("admin:auth_user_password_change", args=[make_user("t").pk])

        assert browser_of(manager).get(path).status_code == 403

    def test_does_not_part_a_customers_address_from_the_login(
        self, desk: Client
    ) -> None:
        login = make_user("ada", is_staff=False)
        make_customer(user=login, email=login.email)
        form = form_of(desk, page_of(login))

        post(desk, page_of(login), {**form, "email": "other@shop.test"})

        login.refresh_from_db()
        assert login.email == "ada@shop.test"

    def test_does_not_delete_a_user_who_has_history(
        self, boss: User, desk: Client
    ) -> None:
        user = make_user("tina")
        make_ticket(user)

        page = text_of(desk.post(page_of(user, "delete"), {"post": "yes"}))

        assert "Cannot delete" in page
        assert User.objects.filter(pk=user.pk).exists()

    def test_deletes_a_user_with_sessions(self, desk: Client) -> None:
        user = make_user("tina")
        start_session(user=user)

        post(desk, page_of(user, "delete"), {"post": "yes"})

        assert not User.objects.filter(pk=user.pk).exists()


class TestCreatesuperuser:
    def test_works_without_questions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")

        call_command(
            "createsuperuser",
            "--noinput",
            "--email=Root@Shop.test",
            "--first_name=Root",
            "--last_name=User",
            verbosity=0,
        )

        root = User.objects.get(email="root@shop.test")
        assert root.is_superuser
        assert browser_of(root).get("/admin/").status_code == 200

"""The pages that every model has: lists, search, single rows, deletion."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client

from customers.models import Customer, Vehicle
from inventory.models import Part, StockMovement
from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.roles import TECHNICIAN
from mechanic_shop.core.models import QueuedTask
from mechanics.models import Mechanic
from tests.support.back_office import (
    SHOP_MODELS,
    browser_of,
    fill_shop,
    make_customer,
    make_mechanic,
    make_part,
    make_ticket,
    make_user,
    page_of,
    post,
    queries_of,
    run_action,
    text_of,
    url,
)
from tickets import services
from tickets.models import ServiceTicket, TicketEvent, TicketMechanic, TicketPart

pytestmark = pytest.mark.django_db

READ_ONLY: list[type[Model]] = [
    Session,
    StockMovement,
    TicketMechanic,
    TicketPart,
    TicketEvent,
    QueuedTask,
]


class TestModelPages:
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
        history = desk.get(page_of(row, "history"), follow=True)
        assert history.status_code == 200

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
        for secret in ("identifier", "refresh_jti", "auth_hash"):
            filters = {f"{secret}__startswith": "a"}
            page = desk.get(url(Session, "changelist"), filters)
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


class TestDeleteSelected:
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

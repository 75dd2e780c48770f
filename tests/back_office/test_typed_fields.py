"""What is typed or pasted into a field: numbers with commas, numbers of vehicles."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client

from customers.models import Customer, Vehicle
from inventory.models import Part
from mechanic_shop.accounts.models import User
from mechanics.models import Mechanic
from tests.support.back_office import (
    SHOP_MODELS,
    add_row,
    answer_dialog,
    fill_shop,
    form_of,
    make_customer,
    make_mechanic,
    make_part,
    make_vehicle,
    page_of,
    post,
    text_of,
    url,
)
from tickets.models import ServiceTicket

pytestmark = pytest.mark.django_db


def errors_of(response: Any) -> str:
    """Return what the form says about its fields."""
    return str(response.context["adminform"].form.errors.as_data())


class TestEveryInput:
    @pytest.mark.parametrize("model", SHOP_MODELS)
    def test_keeps_commas_and_long_texts(
        self, model: type[Model], boss: User, desk: Client
    ) -> None:
        fill_shop(boss, 0, 1)
        row = model._default_manager.all()[0]
        pages = [desk.get(page_of(row)), desk.get(url(model, "add"))]
        buttons = getattr(admin.site.get_model_admin(model), "actions_detail", ())
        pages += [desk.get(page_of(row, name)) for name in buttons]

        for page in pages:
            assert 'type="number"' not in text_of(page)
            assert "maxlength=" not in text_of(page)

    def test_brings_up_the_number_keys_of_a_phone(
        self, boss: User, desk: Client
    ) -> None:
        page = desk.get(page_of(make_part(boss)))
        form = page.context["adminform"].form

        assert 'inputmode="decimal"' in str(form["current_cost_cents"])
        assert 'inputmode="numeric"' in str(form["reorder_level"])

    def test_has_keys_with_a_minus_where_one_is_typed(
        self, boss: User, desk: Client
    ) -> None:
        page = text_of(desk.get(page_of(make_part(boss), "adjust_stock")))

        assert 'name="adjustment"' in page
        assert "inputmode" not in page


class TestAnAmount:
    @pytest.mark.parametrize(
        ("typed", "cents"),
        [("15,65", 1565), ("15.65", 1565), ("1,250.00", 125000), ("1.250,00", 125000)],
    )
    def test_is_read_with_a_comma_or_a_point(
        self, typed: str, cents: int, boss: User, desk: Client
    ) -> None:
        part = make_part(boss)
        form = form_of(desk, page_of(part))

        post(desk, page_of(part), {**form, "current_cost_cents": typed})

        part.refresh_from_db()
        assert part.current_cost_cents == cents

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ("1,250", "two ways"),
            ("1e3", "such as 15.65"),
            ("1.005", "at most 2"),
        ],
    )
    def test_is_refused_in_a_sentence_otherwise(
        self, typed: str, sentence: str, boss: User, desk: Client
    ) -> None:
        part = make_part(boss)
        form = form_of(desk, page_of(part))

        response, _ = post(desk, page_of(part), {**form, "current_cost_cents": typed})

        part.refresh_from_db()
        assert sentence in errors_of(response)
        assert f'value="{typed}"' in text_of(response)
        assert part.current_cost_cents == 123_450


class TestAWholeNumber:
    @pytest.mark.parametrize("typed", ["1,5", "1.5", "1_5"])
    def test_of_units_is_never_made_of_a_fraction(
        self, typed: str, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        part = make_part(boss, stock=50)
        line = {"part": part.pk, "quantity_used": typed, "markup_percentage": "12,5"}
        form = add_row(form_of(desk, page_of(ticket)), "ticket_parts", **line)

        response, _ = post(desk, page_of(ticket), form)

        assert "Write a whole number" in text_of(response)
        assert f'value="{typed}"' in text_of(response)
        assert not ticket.ticket_parts.exists()

    def test_may_have_commas_as_the_lists_show_them(self, desk: Client) -> None:
        vehicle = make_vehicle()
        form = form_of(desk, page_of(vehicle))

        post(desk, page_of(vehicle), {**form, "mileage": "84,210"})

        vehicle.refresh_from_db()
        assert vehicle.mileage == 84210

    @pytest.mark.parametrize(
        ("button", "field"),
        [
            ("receive_stock", "quantity"),
            ("adjust_stock", "adjustment"),
            ("count_stock", "counted"),
        ],
    )
    def test_of_a_dialog_is_read_in_the_same_way(
        self, button: str, field: str, boss: User, desk: Client
    ) -> None:
        part = make_part(boss, stock=5)
        words: dict[str, Any] = {field: "1,5", "reason": "adjust"}

        response, _ = answer_dialog(desk, page_of(part, button), **words)

        part.refresh_from_db()
        assert "Write a whole number" in text_of(response)
        assert part.quantity_in_stock == 5

    def test_of_a_salary_may_have_commas(self, desk: Client) -> None:
        mechanic = make_mechanic()
        form = form_of(desk, page_of(mechanic))

        post(desk, page_of(mechanic), {**form, "salary": "61,500"})

        assert Mechanic.objects.get().salary == 61500


class TestAMarkup:
    @pytest.mark.parametrize("typed", ["12,5", "12.5"])
    def test_is_read_with_a_comma_or_a_point(
        self, typed: str, boss: User, desk: Client, ticket: ServiceTicket
    ) -> None:
        part = make_part(boss)
        line = {"part": part.pk, "quantity_used": "1", "markup_percentage": typed}
        form = add_row(form_of(desk, page_of(ticket)), "ticket_parts", **line)

        post(desk, page_of(ticket), form)

        assert ticket.ticket_parts.get().markup_percentage == 12.5


class TestAVin:
    PASTED = "1HG-CM82 633A 004352"

    def test_is_pasted_with_blanks_and_dashes(self, desk: Client) -> None:
        vehicle = make_vehicle()
        form = form_of(desk, page_of(vehicle))

        post(desk, page_of(vehicle), {**form, "vin": f" {self.PASTED.lower()} "})

        vehicle.refresh_from_db()
        assert vehicle.vin == "1HGCM82633A004352"

    def test_is_pasted_below_its_owner_too(self, desk: Client) -> None:
        customer = make_customer()
        row = {"year": 2003, "make": "Honda", "model": "Accord", "vin": self.PASTED}
        form = add_row(form_of(desk, page_of(customer)), "vehicles", **row)

        post(desk, page_of(customer), form)

        assert Vehicle.objects.get().vin == "1HGCM82633A004352"

    def test_of_an_old_car_is_not_shortened(self, desk: Client) -> None:
        vehicle = make_vehicle()
        form = form_of(desk, page_of(vehicle)) | {"year": 1972}

        response, _ = post(desk, page_of(vehicle), {**form, "vin": "1Z37K2S-4 1" * 2})

        vehicle.refresh_from_db()
        assert "no more than 17 characters; this has 18" in errors_of(response)
        assert vehicle.vin is None

    def test_of_blanks_alone_is_none(self, desk: Client) -> None:
        vehicle = make_vehicle()
        form = form_of(desk, page_of(vehicle))

        post(desk, page_of(vehicle), {**form, "vin": " - ", "color": "red"})

        vehicle.refresh_from_db()
        assert (vehicle.vin, vehicle.color) == (None, "red")


class TestAnEmail:
    def test_is_pasted_with_blanks_around_it(self, desk: Client) -> None:
        customer = make_customer()
        form = form_of(desk, page_of(customer))

        post(desk, page_of(customer), {**form, "email": "\xa0Ada@Shop.test \t"})

        assert Customer.objects.get().email == "ada@shop.test"


class TestAPartNumber:
    def test_that_is_too_long_is_refused_whole(self, boss: User, desk: Client) -> None:
        part = make_part(boss)
        form = form_of(desk, page_of(part))

        response, _ = post(desk, page_of(part), {**form, "part_number": "7" * 101})

        assert "101" in errors_of(response)
        assert Part.objects.get().part_number == "BRK-1"

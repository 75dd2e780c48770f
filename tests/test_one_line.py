"""What people type into one line is one line, wherever it comes in."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.test import Client
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.tests.factories import PartFactory
from mechanic_shop.core.app_config import ShopAppConfig
from mechanic_shop.core.one_line import OneLineField, validate_one_line
from mechanics.tests.factories import MechanicFactory
from tests.support.back_office import form_of, page_of
from tickets.tests.factories import TicketFactory

BROKEN = ["a\nb", "a\r\nb", "a\tb", "a\x1b[2Jb", "a\x85b", "a\u2028b", "a\u2029b"]
#: Written by the shop itself, never typed.
INTERNAL = {
    *("accounts.Session.identifier", "accounts.Session.refresh_jti"),
    *("accounts.Session.auth_hash", "accounts.User.password"),
    *("api.IdempotencyKey.digest", "api.IdempotencyKey.fingerprint"),
    *("api.KnownAddress.digest", "api.RateCounter.key"),
    *("mechanics.MechanicListVersion.generation", "inventory.PendingImport.name"),
    *("spreadsheets.Upload.name", "spreadsheets.Upload.suffix"),
    *("spreadsheets.Upload.target", "spreadsheets.Upload.message"),
    "customers.Vehicle.vin",  # has a stricter rule of its own
}


def typed_fields() -> list[str]:
    return [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if isinstance(apps.get_app_config(model._meta.app_label), ShopAppConfig)
        and not model.__name__.startswith("Historical")
        and model._meta.app_label != "core"
        for field in model._meta.local_fields
        if type(field) in {models.CharField, OneLineField} and field.editable
        if not field.choices
    ]


class TestOneLineField:
    @pytest.mark.parametrize("text", BROKEN)
    def test_line_breaks_and_controls_are_refused(self, text: str) -> None:
        with pytest.raises(ValidationError, match="in one line"):
            validate_one_line(text)

    @pytest.mark.parametrize("text", ["", "José Ñ.", "O’Neil\u00a0& Co. 株式会社 👍"])
    def test_letters_of_all_scripts_are_fine(self, text: str) -> None:
        validate_one_line(text)

    def test_every_typed_text_column_is_one(self) -> None:
        """A new column of text is a ``OneLineField``, or nobody types it."""
        plain = {
            name
            for name in typed_fields()
            if not isinstance(
                apps.get_model(name.rpartition(".")[0])._meta.get_field(
                    name.rpartition(".")[2]
                ),
                OneLineField,
            )
        }

        assert plain <= INTERNAL
        assert "customers.Customer.first_name" in typed_fields()


@pytest.mark.django_db
class TestOneLineText:
    """In each body and form; what stands around a text is trimmed as before."""

    @pytest.mark.parametrize("text", BROKEN)
    def test_registration_is_refused(self, anonymous: APIClient, text: str) -> None:
        body = {
            "first_name": text,
            "last_name": text,
            "email": "new@example.com",
            "phone": text,
            "password": "correct-horse-battery",
        }

        response = anonymous.post("/api/auth/register", body)

        assert response.status_code == 400
        assert response.data["fields"].keys() == {"first_name", "last_name", "phone"}

    @pytest.mark.parametrize(
        ("factory", "path", "names"),
        [
            (CustomerFactory, "customers", "first_name last_name phone address city"),
            (CustomerFactory, "customers", "state postal_code"),
            (VehicleFactory, "vehicles", "make model color license_plate"),
            (MechanicFactory, "mechanics", "full_name phone"),
            (PartFactory, "inventory", "part_number name category manufacturer"),
            (PartFactory, "inventory", "supplier"),
        ],
    )
    def test_change_is_refused(
        self, shop: APIClient, factory: Any, path: str, names: str
    ) -> None:
        row = factory.create()
        body = dict.fromkeys(names.split(), "a\nb")

        response = shop.patch(f"/api/{path}/{row.pk}", body)

        assert response.status_code == 400
        assert response.data["fields"].keys() == body.keys()

    def test_note_and_role_are_refused(self, shop: APIClient) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()
        mechanic = MechanicFactory.create()
        note = {"adjustment": 1, "note": "a\nb"}
        at = f"/api/service-tickets/{ticket.pk}"

        answers = [
            shop.patch(f"/api/inventory/{part.pk}/adjust-quantity", note),
            shop.put(f"{at}/assign-mechanic/{mechanic.pk}", {"role": "a\nb"}),
            shop.put(f"{at}/edit", {"add_ids": [mechanic.pk], "role": "a\nb"}),
        ]

        assert [set(answer.data["fields"]) for answer in answers] == [
            {"note"},
            {"role"},
            {"role"},
        ]

    def test_form_of_the_back_office_is_refused(self, owner: Any) -> None:
        desk = Client()
        desk.force_login(owner)
        customer = CustomerFactory.create(first_name="Casey")
        form = form_of(desk, page_of(customer))

        page = desk.post(page_of(customer), {**form, "first_name": "a\nb"})

        assert "in one line" in page.content.decode()
        assert Customer.objects.get().first_name == "Casey"

    def test_text_around_is_trimmed(self, shop: APIClient) -> None:
        customer = CustomerFactory.create()

        shop.patch(f"/api/customers/{customer.pk}", {"first_name": " Ann\r\n"})

        customer.refresh_from_db()
        assert customer.first_name == "Ann"

"""Search columns are written with their row, whichever way it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Vehicle
from customers.services import delete_customer
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.core.locking import save_changes
from mechanic_shop.core.registry import invariants
from mechanic_shop.core.row_batches import BATCH_SIZE
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db


def violations() -> list[str]:
    found = [sentence for check in invariants for sentence in check()]
    return [sentence for sentence in found if "is found by what it was" in sentence]


def is_read_of_mechanics(sql: str) -> bool:
    return sql.startswith("SELECT") and "search_text" in sql and "mechanics_" in sql


def by_save(row: Customer) -> None:
    row.last_name = "Muñoz"
    row.save()


def by_save_of_one_field(row: Customer) -> None:
    row.last_name = "Muñoz"
    row.save(update_fields=["last_name"])


def by_save_changes(row: Customer) -> None:
    save_changes(row, {"last_name": "Muñoz"})


def by_update(row: Customer) -> None:
    Customer.objects.filter(last_name=row.last_name).update(last_name="Muñoz")


def by_update_with_an_expression(row: Customer) -> None:
    Customer.objects.update(last_name=Concat(Value("Muñ"), Value("oz")))


def by_bulk_update(row: Customer) -> None:
    row.last_name = "Muñoz"
    Customer.objects.bulk_update([row], ["last_name"])


WRITES = [
    *(by_save, by_save_of_one_field, by_save_changes, by_update),
    *(by_update_with_an_expression, by_bulk_update),
]


class TestSearchColumn:
    @pytest.mark.parametrize("write", WRITES)
    def test_follows_every_write_of_its_sources(
        self, write: Callable[[Customer], None]
    ) -> None:
        row = CustomerFactory.create(first_name="Ana", last_name="Old", phone="(1) 2-3")

        write(Customer.objects.get(pk=row.pk))

        row.refresh_from_db()
        assert (row.search_text or "").startswith("ana munoz ")
        assert (row.search_text or "").endswith(" 1 23 123")
        assert violations() == []

    def test_is_written_by_bulk_create(self) -> None:
        owner = CustomerFactory.create()
        Vehicle.objects.bulk_create(
            Vehicle(
                customer=owner, make=make, model="X", year=2016, license_plate=plate
            )
            for make, plate in (("Škoda", ""), ("VW", "b-1 2"))
        )

        found = Vehicle.objects.order_by("pk").values_list("search_text", "plate_key")

        assert [*found] == [("2016 skoda x", ""), ("2016 vw x b-1 2 b1 b12", "b12")]

    def test_holds_for_every_resource(self) -> None:
        for factory in (VehicleFactory, PartFactory, MechanicFactory, TicketFactory):
            factory.create()

        assert violations() == []
        for model in (Customer, Vehicle, Part, Mechanic, ServiceTicket):
            assert not model._default_manager.filter(search_text=None).exists()

    def test_costs_no_query_where_its_sources_stay(
        self, django_assert_num_queries: Any
    ) -> None:
        PartFactory.create()

        with django_assert_num_queries(1):
            Part.objects.update(reorder_level=F("reorder_level") + 1)

    def test_forgets_who_was_erased(self) -> None:
        ticket = TicketFactory.create(status=ServiceTicket.Status.OPEN)
        ServiceTicket.objects.update(status="cancelled", closed_at="2026-01-01T00:00Z")
        customer = ticket.customer

        delete_customer(customer=customer)

        customer.refresh_from_db()
        assert (customer.search_text, customer.phone_key) == ("", "")
        assert violations() == []

    def test_is_no_part_of_the_history(self) -> None:
        row = CustomerFactory.create()

        assert not hasattr(row.history.first(), "search_text")


class TestRowOfThePreviousRelease:
    @pytest.fixture
    def old_rows(self) -> list[Customer]:
        rows = CustomerFactory.create_batch(3, last_name="Muñoz")
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE customers_customer SET search_text = NULL, phone_key = 'x'"
                " WHERE id <> %s",
                [rows[0].pk],
            )
        return rows

    def test_is_reported(self, old_rows: list[Customer]) -> None:
        assert violations() == [
            f"Customer {row.pk} is found by what it was: run refresh_copies."
            for row in old_rows[1:]
        ]

    def test_is_found_again_after_refresh_copies(
        self, old_rows: list[Customer], capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = [row.updated_at for row in old_rows]

        call_command("refresh_copies")
        call_command("refresh_copies")

        assert capsys.readouterr().out.splitlines() == [
            "Brought 2 rows up to date.",
            "Brought 0 rows up to date.",
        ]
        assert violations() == []
        for row in old_rows:
            row.refresh_from_db()
        assert [row.updated_at for row in old_rows] == before

    def test_is_completed_in_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert BATCH_SIZE <= 1_000
        monkeypatch.setattr("mechanic_shop.core.row_batches.BATCH_SIZE", 2)
        Mechanic.objects.bulk_create(
            Mechanic(full_name=f"M {n}", email=f"{n}@m.test", phone="1", salary=1)
            for n in range(5)
        )
        with connection.cursor() as cursor:
            cursor.execute("UPDATE mechanics_mechanic SET search_text = NULL")

        with CaptureQueriesContext(connection) as sent:
            call_command("refresh_copies")
            assert violations() == []

        # MySQL would load whatever a statement finds.
        reads = [query["sql"] for query in sent if is_read_of_mechanics(query["sql"])]
        assert len(reads) > 6
        assert [sql for sql in reads if "LIMIT" not in sql and " IN (" not in sql] == []

"""Whole tables are read in batches, by primary key."""

from __future__ import annotations

import pytest

from customers.models import Customer
from customers.tests.factories import CustomerFactory
from mechanic_shop.core.row_batches import row_batches

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mechanic_shop.core.row_batches.BATCH_SIZE", 2)


class TestRowBatches:
    @pytest.mark.parametrize("number", [0, 1, 2, 5])
    def test_hold_every_row_once(self, number: int) -> None:
        rows = CustomerFactory.create_batch(number)

        batches = list(row_batches(Customer.objects.order_by("-last_name")))

        assert [row for batch in batches for row in batch] == rows
        assert all(len(batch) <= 2 for batch in batches)

    def test_go_on_where_the_rows_were_changed(self) -> None:
        CustomerFactory.create_batch(5, city="here")
        here = Customer.objects.filter(city="here")

        for batch in row_batches(here):
            here.filter(pk__in=[row.pk for row in batch]).update(city="there")

        assert not here.exists()

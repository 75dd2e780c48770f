"""Locks that hold on every node of a cluster."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models import Model

from customers.models import Customer, Vehicle
from customers.services import change_owner, lock_vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.core.errors import NotFound
from mechanic_shop.core.locking import claim_for_cluster, lock_row
from mechanic_shop.core.models import RowClaim, RowClaimManager

pytestmark = pytest.mark.django_db

Claimed = list[tuple[type[Model], int]]


@pytest.fixture
def claimed(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Claimed:
    """Collect what is claimed instead of writing it down, as on a cluster."""
    claims: Claimed = []

    def touch(self: RowClaimManager, model: type[Model], pk: int) -> None:
        claims.append((model, pk))

    settings.DATABASE_CLUSTER = "galera"
    monkeypatch.setattr(RowClaimManager, "touch", touch)
    return claims


class TestLock:
    def test_of_a_row_claims_it(self, claimed: Claimed) -> None:
        customer = CustomerFactory.create()

        lock_row(customer)

        assert claimed == [(Customer, customer.pk)]

    def test_of_a_row_reads_it_again(self) -> None:
        group, part = Group.objects.create(name="Painters"), PartFactory.create()
        Group.objects.filter(pk=group.pk).update(name="Sprayers")

        with transaction.atomic():
            assert lock_row(group).name == "Sprayers"
            assert lock_row(part) == part

    def test_of_a_deleted_row_is_a_404(self) -> None:
        part = PartFactory.create()
        Part.objects.filter(pk=part.pk).delete()

        with pytest.raises(NotFound):
            lock_row(part)

    def test_of_a_vehicle_claims_the_owner_first(self, claimed: Claimed) -> None:
        vehicle = VehicleFactory.create()

        lock_vehicle(vehicle)

        assert claimed == [(Customer, vehicle.customer_id), (Vehicle, vehicle.pk)]

    def test_for_a_hand_over_claims_both_owners_in_order(
        self, claimed: Claimed
    ) -> None:
        buyer, vehicle = CustomerFactory.create(), VehicleFactory.create()

        change_owner(vehicle=vehicle, customer=buyer)

        owners = [pk for model, pk in claimed if model is Customer]
        assert owners[:2] == sorted([buyer.pk, owners[-1]])
        assert (Vehicle, vehicle.pk) in claimed

    def test_claims_nothing_on_a_single_server(self) -> None:
        customer = CustomerFactory.create()

        lock_row(customer)

        assert not RowClaim.objects.exists()


@pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite is no cluster")
class TestClaim:
    def test_is_written_anew_each_time(self, settings: LazySettings) -> None:
        settings.DATABASE_CLUSTER = "galera"

        with transaction.atomic():
            claim_for_cluster(Customer, 7)
            claim_for_cluster(Customer, 7)
            claim_for_cluster(Customer, 8)

        assert sorted(RowClaim.objects.values_list("times", flat=True)) == [1, 2]

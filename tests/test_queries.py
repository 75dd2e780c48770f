"""A prepared query finds what the query set that it was made of would find."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts import permission_loading
from mechanic_shop.accounts.models import SESSION_BY_IDENTIFIER, Session, User
from mechanic_shop.accounts.roles import MANAGER, TECHNICIAN
from mechanic_shop.accounts.services import start_session
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from mechanic_shop.core.prepared_queries import PreparedQuery

pytestmark = pytest.mark.django_db


def with_owner(pk: int) -> Any:
    return Vehicle.objects.select_related("customer").filter(pk=pk)


class TestPreparedQuery:
    def test_finds_the_row_with_what_belongs_to_it(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        vehicles, by_id = VehicleFactory.create_batch(3), PreparedQuery(with_owner)

        for vehicle in vehicles:
            with django_assert_num_queries(1):
                found = by_id.first(vehicle.pk)
                assert found is not None
                owner = found.customer

            assert found == with_owner(vehicle.pk).get()
            assert vars(owner)["first_name"] == vehicle.customer.first_name
            assert found.created_at == vehicle.created_at

    def test_finds_nothing_where_nothing_is(self) -> None:
        assert PreparedQuery(with_owner).first(2**62) is None

    def test_takes_the_bounds_of_a_slice(self) -> None:
        pks = sorted(vehicle.pk for vehicle in VehicleFactory.create_batch(7))
        page = PreparedQuery(
            lambda start, size: Vehicle.objects.order_by("pk")[start : start + size]
        )

        for start, size in ((0, 3), (3, 3), (6, 3), (2, 1)):
            found = [vehicle.pk for vehicle in page.all(start, size)]
            assert found == pks[start : start + size]

    @pytest.mark.parametrize(
        "columns", [{"flat": True}, {"flat": False}, {"named": True}]
    )
    def test_finds_columns_as_its_query_set_does(
        self, columns: dict[str, bool]
    ) -> None:
        vehicle = VehicleFactory.create()
        names = ["make"] if columns.get("flat") else ["make", "created_at"]

        def build(pk: int) -> Any:
            return Vehicle.objects.filter(pk=pk).values_list(*names, **columns)

        assert PreparedQuery(build).all(vehicle.pk) == list(build(vehicle.pk))

    def test_brings_along_what_is_prefetched(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        vehicle = VehicleFactory.create()
        by_id = PreparedQuery(
            lambda pk: Customer.objects.prefetch_related("vehicles").filter(pk=pk)
        )

        owner = by_id.first(vehicle.customer_id)

        assert owner is not None
        with django_assert_num_queries(0):
            assert list(owner.vehicles.all()) == [vehicle]

    def test_refuses_a_value_that_the_sql_does_not_take(self) -> None:
        by_id = PreparedQuery(lambda pk: Vehicle.objects.filter(pk=pk + 1))

        with pytest.raises(AssertionError, match="as it is"):
            by_id.first(1)

    def test_makes_its_sql_once(self) -> None:
        vehicle, made = VehicleFactory.create(), []

        def build(pk: int) -> Any:
            made.append(pk)
            return with_owner(pk)

        by_id = PreparedQuery(build)

        for _ in range(3):
            by_id.first(vehicle.pk)

        assert len(made) == 1

    def test_keeps_no_row(self) -> None:
        vehicle, by_id = VehicleFactory.create(), PreparedQuery(with_owner)
        by_id.first(vehicle.pk)

        Vehicle.objects.filter(pk=vehicle.pk).update(color="Red")

        found = by_id.first(vehicle.pk)
        assert found is not None
        assert found.color == "Red"

    def test_leaves_out_a_relation_that_is_not_there(self) -> None:
        by_id = PreparedQuery(
            lambda pk: Customer.objects.select_related("user").filter(pk=pk)
        )
        walk_in = CustomerFactory.create(user=None)

        found = by_id.first(walk_in.pk)

        assert found is not None
        assert found.user is None


class TestSessionOfARequest:
    @pytest.mark.parametrize("role", [MANAGER, TECHNICIAN, None])
    def test_brings_the_rights_of_its_user(
        self, role: str | None, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        user = user_in(role) if role else UserFactory.create()
        user.user_permissions.add(Permission.objects.get(codename="view_group"))
        start_session(user=user)
        session = Session.objects.get(user=user)
        name = (str(session.identifier), user.pk)
        Session.objects.load(*name).user.get_all_permissions()  # type: ignore[union-attr]

        with django_assert_num_queries(1):
            loaded = Session.objects.load(*name)
            assert loaded is not None
            held = loaded.user.get_all_permissions()

        assert held == ModelBackend().get_all_permissions(User.objects.get(pk=user.pk))
        assert "auth.view_group" in held

    def test_tells_a_group_without_permissions_from_none(self) -> None:
        user = UserFactory.create()
        start_session(user=user)
        name = (str(Session.objects.get(user=user).identifier), user.pk)
        assert Session.objects.load(*name).user.permission_ids == []  # type: ignore[union-attr]

        user.groups.add(Group.objects.create(name="Guests"))

        loaded = Session.objects.load(*name)
        assert loaded is not None
        assert loaded.user.permission_ids == [None]
        assert loaded.user.get_all_permissions() == set()

    def test_is_read_in_the_same_words_each_time(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            SESSION_BY_IDENTIFIER.first("one", 1)
            SESSION_BY_IDENTIFIER.first("two", 2)

        first, second = (query["sql"] for query in queries.captured_queries)
        assert first.replace("= 1", "= 2").replace("one", "two") == second


class TestPermissionsOfAUser:
    @pytest.mark.parametrize("role", [MANAGER, TECHNICIAN])
    def test_are_those_that_django_knows(self, role: str) -> None:
        user = user_in(role)

        held = user.get_all_permissions()

        assert held == ModelBackend().get_all_permissions(User.objects.get(pk=user.pk))

    def test_are_known_by_the_name_that_they_have_now(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            permission_loading, "_names", {}
        )  # this test takes its change back
        user = user_in(TECHNICIAN)
        assert user.has_perm("tickets.install_part")

        permission = Permission.objects.get(codename="install_part")
        permission.codename = "fit_part"
        permission.save()

        assert User.objects.get(pk=user.pk).has_perm("tickets.fit_part")

    def test_are_read_anew_by_the_next_request(self) -> None:
        user = user_in(TECHNICIAN)
        assert User.objects.get(pk=user.pk).has_perm("tickets.install_part")

        user.groups.clear()

        assert not User.objects.get(pk=user.pk).has_perm("tickets.install_part")


@pytest.mark.django_db(transaction=True)
class TestConnectionThatTheDatabaseClosed:
    def test_is_replaced(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if connection.vendor == "sqlite":
            pytest.skip("What closes this connection deletes the database.")
        vehicle, by_id = VehicleFactory.create(), PreparedQuery(with_owner)
        assert by_id.first(vehicle.pk) == vehicle
        monkeypatch.setattr(connection, "health_check_enabled", True)
        monkeypatch.setattr(connection, "health_check_done", False)

        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute(f"KILL {connection.connection.thread_id()}")
        other.close()

        assert by_id.first(vehicle.pk) == vehicle


@pytest.mark.django_db(transaction=True)
class TestThreads:
    def test_each_prepare_for_their_own_connection(self) -> None:
        vehicle, by_id = VehicleFactory.create(), PreparedQuery(with_owner)

        def find(_: int) -> str:
            found = by_id.first(vehicle.pk)
            connection.close()
            assert found is not None
            return str(found.make)

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(find, range(8))) == [vehicle.make] * 8


class TestManyValues:
    def test_find_what_one_by_one_would(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        by_ids = PreparedQuery(
            lambda *pks: Vehicle.objects.filter(pk__in=pks).order_by("pk")
        )
        pks = [vehicle.pk for vehicle in VehicleFactory.create_batch(12)]

        for many in (1, 2, 3, 10, 11, 12):
            with django_assert_num_queries(1):
                found = by_ids.all(*pks[:many])
            assert [vehicle.pk for vehicle in found] == pks[:many]


class TestKeyInAPath:
    @pytest.mark.parametrize(
        "key",
        ["9" * 18, "9" * 19, "9" * 5_000, "0" * 5_000],
        ids=lambda key: f"{len(key)} digits of {key[0]}",
    )
    def test_of_any_length_finds_nothing(
        self, client_of: Callable[[User], APIClient], key: str
    ) -> None:
        client = client_of(user_in(MANAGER))

        assert client.get(f"/api/inventory/{key}").status_code == 404

    def test_may_begin_with_zeros(self, client_of: Callable[[User], APIClient]) -> None:
        part = PartFactory.create()

        answer = client_of(user_in(MANAGER)).get(f"/api/inventory/000{part.pk}")

        assert answer.json()["part_id"] == part.pk

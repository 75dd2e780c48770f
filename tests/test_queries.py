"""A prepared query answers what the query it was made of would."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission
from django.db import OperationalError, connection, transaction
from django.db.models import Model, Q, QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory
from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop import queries
from mechanic_shop.accounts import rights
from mechanic_shop.accounts.models import SESSION_BY_ID, Session, User
from mechanic_shop.accounts.roles import MANAGER, TECHNICIAN
from mechanic_shop.accounts.services import start_session
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from mechanic_shop.queries import (
    PreparedQuery,
    locked,
    page_of,
    plain_conditions,
    row_of,
)
from tickets.models import ServiceTicket
from tickets.tests.factories import TicketFactory

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
        pk = Session.objects.get(user=user).pk
        Session.objects.load(pk).user.get_all_permissions()  # type: ignore[union-attr]

        with django_assert_num_queries(1):
            loaded = Session.objects.load(pk)
            assert loaded is not None
            held = loaded.user.get_all_permissions()

        assert held == ModelBackend().get_all_permissions(User.objects.get(pk=user.pk))
        assert "auth.view_group" in held

    def test_tells_a_group_without_permissions_from_none(self) -> None:
        user = UserFactory.create()
        start_session(user=user)
        pk = Session.objects.get(user=user).pk
        assert Session.objects.load(pk).user.rights == []  # type: ignore[union-attr]

        user.groups.add(Group.objects.create(name="Guests"))

        loaded = Session.objects.load(pk)
        assert loaded is not None
        assert loaded.user.rights == [None]
        assert loaded.user.get_all_permissions() == set()

    def test_is_read_in_the_same_words_each_time(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            SESSION_BY_ID.first(1)
            SESSION_BY_ID.first(2)

        first, second = (query["sql"] for query in queries.captured_queries)
        assert first.replace("= 1", "= 2") == second


class TestPermissionsOfAUser:
    @pytest.mark.parametrize("role", [MANAGER, TECHNICIAN])
    def test_are_those_that_django_knows(self, role: str) -> None:
        user = user_in(role)

        held = user.get_all_permissions()

        assert held == ModelBackend().get_all_permissions(User.objects.get(pk=user.pk))

    def test_are_known_by_the_name_that_they_have_now(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rights, "_names", {})  # this test takes its change back
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
    @pytest.fixture(autouse=True)
    def _nobody_home(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every query on the connection of now fail, and none on the next one."""
        vehicle = VehicleFactory.create()
        self.key, self.by_id = vehicle.pk, PreparedQuery(with_owner)
        connection.ensure_connection()
        dead = connection.connection

        def fetch(wrapper: Any, sql: str, params: Any) -> Any:
            if wrapper.connection is dead:
                raise OperationalError(2006, "Server has gone away")
            return once(wrapper, sql, params)

        once = queries._fetch_once
        monkeypatch.setattr(queries, "_fetch_once", fetch)
        monkeypatch.setattr(
            connection, "is_usable", lambda: connection.connection is not dead
        )

    def test_is_replaced(self) -> None:
        if connection.vendor == "sqlite":
            pytest.skip("What closes this connection deletes the database.")
        assert self.by_id.first(self.key) is not None

    def test_is_not_replaced_where_something_was_done_on_it(self) -> None:
        with pytest.raises(OperationalError), transaction.atomic():
            self.by_id.first(self.key)

    def test_is_not_asked_about_if_there_is_none(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if connection.vendor == "sqlite":
            pytest.skip("What closes this connection deletes the database.")

        def refuse() -> None:
            raise OperationalError(2002, "Can't connect")

        connection.close()
        monkeypatch.undo()
        monkeypatch.setattr(connection, "connect", refuse)

        with pytest.raises(OperationalError, match="connect"):
            self.by_id.first(self.key)

    def test_is_not_tried_again_after_a_long_silence(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seconds = iter((0.0, 5.0))
        monkeypatch.setattr(queries, "monotonic", lambda: next(seconds))

        with pytest.raises(OperationalError):
            self.by_id.first(self.key)


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


class TestPage:
    """A list gets its own page, whatever other lists were asked for before."""

    @pytest.fixture(autouse=True)
    def _a_shop(self) -> None:
        CustomerFactory.create_batch(7, walk_in=True)
        CustomerFactory.create(walk_in=True, erased_at=timezone.now())
        for number in range(6):
            PartFactory.create(quantity_in_stock=number, is_active=number % 2 == 0)
        for status in ("open", "waiting", "open", "in_progress", "open"):
            TicketFactory.create(status=status)

    LISTS: ClassVar[list[Callable[[], QuerySet[Any]]]] = [
        lambda: Customer.objects.order_by("pk"),
        lambda: Customer.objects.order_by("-pk"),
        lambda: Customer.objects.filter(erased_at=None).order_by("pk"),
        lambda: Customer.objects.exclude(erased_at=None).order_by("pk"),
        lambda: Customer.objects.filter(pk__lt=4).order_by("pk"),
        lambda: Customer.objects.select_related("user").order_by("pk"),
        lambda: Vehicle.objects.filter(customer__erased_at=None).order_by("pk"),
        lambda: Part.objects.filter(is_active=True).order_by("pk"),
        lambda: Part.objects.filter(is_active=False).order_by("pk"),
        lambda: Part.objects.filter(is_active=True, is_low=True).order_by("pk"),
        lambda: Part.objects.filter(quantity_in_stock=1).order_by("pk"),
        lambda: Part.objects.filter(quantity_in_stock=0).order_by("pk"),
        lambda: ServiceTicket.objects.filter(status__in=["open"]).order_by("pk"),
        lambda: ServiceTicket.objects.filter(status__in=["waiting"]).order_by("pk"),
        lambda: ServiceTicket.objects.filter(status="open").order_by("pk"),
        lambda: ServiceTicket.objects.exclude(status__in=["open"]).order_by("pk"),
        lambda: ServiceTicket.objects.filter(
            Q(closed_at=None) | Q(status__in=["open"])
        ).order_by("pk"),
    ]

    def test_has_the_rows_of_its_list(self) -> None:
        for _ in range(2):
            for made in self.LISTS:
                for start, size in ((0, 2), (2, 2), (1, 3), (0, 100)):
                    rows = made()
                    page = page_of(
                        rows,
                        lambda part, rows=rows: rows[part],  # type: ignore[misc]
                        start=start,
                        size=size,
                        kind="plain",
                    )
                    assert page == list(made()[start : start + size])

    def test_has_the_row_of_each_key(self) -> None:
        for _ in range(2):
            for made in self.LISTS:
                for pk in (0, 1, 2, 5, -1, 2**63, 10**30, *_pks_of(made().model)):
                    assert row_of(made(), pk) == made().filter(pk=pk).first()

    def test_finds_rows_with_short_keys(self) -> None:
        group = Group.objects.create(name="Painters")

        with transaction.atomic():
            assert locked(Group, group.pk) == group
        assert row_of(Group.objects.all(), group.pk) == group

    def test_brings_what_was_to_be_fetched_along(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        rows = Customer.objects.order_by("pk").prefetch_related("vehicles")

        page = page_of(rows, lambda part: rows[part], start=0, size=2, kind="plain")

        with django_assert_num_queries(0):
            assert [list(customer.vehicles.all()) for customer in page] == [[], []]

    def test_is_not_prepared_for_a_value_of_somebody(self) -> None:
        assert plain_conditions(Customer.objects.filter(user=1)) is None
        assert (
            plain_conditions(Customer.objects.filter(user__email="a@b.example")) is None
        )
        assert plain_conditions(ServiceTicket.objects.filter(status__in=["x"])) is None
        assert plain_conditions(Customer.objects.filter(erased_at=None))


def _pks_of(model: type[Model]) -> list[int]:
    return list(model._default_manager.values_list("pk", flat=True))


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

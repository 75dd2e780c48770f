from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.response import Response
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER, SERVICE_ADVISOR, TECHNICIAN
from mechanic_shop.accounts.tests.factories import UserFactory, user_in
from mechanics.models import Mechanic
from mechanics.tests.factories import MechanicFactory

pytestmark = pytest.mark.django_db

PUBLIC_FIELDS = {"mechanic_id", "full_name", "is_active"}
STAFF_FIELDS = PUBLIC_FIELDS | {"email", "phone", "created_at", "updated_at"}
ALL_FIELDS = STAFF_FIELDS | {"salary"}

ClientOf = Callable[[User], APIClient]


def listed(client: APIClient, path: str = "/api/mechanics") -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200
    rows: list[dict[str, Any]] = answer.json()
    return rows


def names(client: APIClient) -> list[str]:
    return [row["full_name"] for row in listed(client)]


def reads_mechanics(client: APIClient, path: str = "/api/mechanics") -> bool:
    """Return whether answering the list looks at the table of the mechanics."""
    table = connection.ops.quote_name(Mechanic._meta.db_table)
    with CaptureQueriesContext(connection) as queries:
        listed(client, path)
    return any(table in query["sql"] for query in queries)


class TestMechanicsList:
    def test_is_a_plain_array_by_id(self, shop: APIClient) -> None:
        ids = [MechanicFactory.create().pk for _ in range(12)]
        Mechanic.objects.filter(pk=ids[0]).update(is_active=False)

        rows = listed(shop)

        assert [row["mechanic_id"] for row in rows] == ids
        assert rows[0].keys() == ALL_FIELDS
        assert rows[0]["is_active"] is False

    def test_answers_the_second_time_without_the_table(self, shop: APIClient) -> None:
        MechanicFactory.create()

        assert reads_mechanics(shop)
        assert not reads_mechanics(shop)

    @pytest.mark.parametrize("path", ["/api/mechanics/", "/api/mechanics?page=2&x=y"])
    def test_is_one_entry_whatever_the_address_looks_like(
        self, shop: APIClient, path: str
    ) -> None:
        MechanicFactory.create()
        before = listed(shop)

        assert not reads_mechanics(shop, path)
        assert listed(shop, path) == before

    def test_is_the_same_from_the_table_and_from_the_cache(
        self, shop: APIClient
    ) -> None:
        MechanicFactory.create(full_name="Zoë “Torque” Šimić")

        fresh, cached = shop.get("/api/mechanics"), shop.get("/api/mechanics")

        assert fresh.content == cached.content
        assert "Zoë" in fresh.content.decode()
        assert fresh.headers["Content-Type"] == cached.headers["Content-Type"]

    def test_is_one_entry_for_all_who_see_the_same(self, client_of: ClientOf) -> None:
        MechanicFactory.create()
        listed(client_of(user_in(TECHNICIAN)))
        listed(client_of(UserFactory.create()))

        assert not reads_mechanics(client_of(user_in(SERVICE_ADVISOR)))
        assert not reads_mechanics(client_of(UserFactory.create()))

    @pytest.mark.parametrize("first", ["manager", "technician", "customer"])
    def test_shows_each_only_what_they_may_see_whoever_came_first(
        self, first: str, client_of: ClientOf
    ) -> None:
        MechanicFactory.create()
        clients = {
            "manager": client_of(user_in(MANAGER)),
            "technician": client_of(user_in(TECHNICIAN)),
            "customer": client_of(UserFactory.create()),
        }
        listed(clients[first])

        seen = {who: set(listed(client)[0]) for who, client in clients.items()}

        assert seen == {
            "manager": ALL_FIELDS,
            "technician": STAFF_FIELDS,
            "customer": PUBLIC_FIELDS,
        }

    def test_hides_the_salary_at_once_when_the_right_is_taken_away(
        self, client_of: ClientOf
    ) -> None:
        user = user_in(MANAGER)
        client = client_of(user)
        MechanicFactory.create()
        assert "salary" in listed(client)[0]

        user.groups.clear()

        assert set(listed(client)[0]) == PUBLIC_FIELDS

    def test_is_private_and_has_no_age(self, shop: APIClient) -> None:
        answers = [shop.get("/api/mechanics") for _ in range(2)]

        for answer in answers:
            assert answer.headers["Cache-Control"] == "private"
            assert "Expires" not in answer.headers

    @pytest.mark.parametrize("header", [None, "Bearer x"])
    def test_asks_for_a_token_when_the_cache_is_warm(
        self, shop: APIClient, anonymous: APIClient, header: str | None
    ) -> None:
        MechanicFactory.create()
        listed(shop)
        if header:
            anonymous.credentials(HTTP_AUTHORIZATION=header)

        assert anonymous.get("/api/mechanics").status_code == 401

    def test_is_closed_to_an_ended_session_when_the_cache_is_warm(
        self, client_of: ClientOf
    ) -> None:
        client = client_of(UserFactory.create())
        listed(client)
        client.post("/api/auth/logout")

        assert client.get("/api/mechanics").status_code == 401

    def test_answers_when_the_cache_is_away(
        self, shop: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        MechanicFactory.create(full_name="Sam")

        def fail(*args: Any, **kwargs: Any) -> None:
            raise ConnectionRefusedError

        for name in ("get", "set"):
            monkeypatch.setattr(cache, name, fail)

        assert names(shop) == ["Sam"]


def save(mechanic: Mechanic) -> list[str]:
    mechanic.full_name = "Alex"
    mechanic.save()
    return ["Alex", "Kim"]


def save_one_field(mechanic: Mechanic) -> list[str]:
    mechanic.full_name = "Alex"
    mechanic.save(update_fields=["full_name"])
    return ["Alex", "Kim"]


def update(mechanic: Mechanic) -> list[str]:
    Mechanic.objects.filter(pk=mechanic.pk).update(full_name="Alex")
    return ["Alex", "Kim"]


def bulk_update(mechanic: Mechanic) -> list[str]:
    mechanic.full_name = "Alex"
    Mechanic.objects.bulk_update([mechanic], ["full_name"])
    return ["Alex", "Kim"]


def create(mechanic: Mechanic) -> list[str]:
    MechanicFactory.create(full_name="New")
    return ["Sam", "Kim", "New"]


def bulk_create(mechanic: Mechanic) -> list[str]:
    new = MechanicFactory.build(full_name="New")
    Mechanic.objects.bulk_create([new])
    return ["Sam", "Kim", "New"]


def get_or_create(mechanic: Mechanic) -> list[str]:
    Mechanic.objects.get_or_create(
        email="new@shop.example", defaults={"full_name": "New", "salary": 1}
    )
    return ["Sam", "Kim", "New"]


def update_or_create(mechanic: Mechanic) -> list[str]:
    Mechanic.objects.update_or_create(
        email=mechanic.email, defaults={"full_name": "Alex"}
    )
    return ["Alex", "Kim"]


def delete(mechanic: Mechanic) -> list[str]:
    mechanic.delete()
    return ["Kim"]


def bulk_delete(mechanic: Mechanic) -> list[str]:
    Mechanic.objects.filter(pk=mechanic.pk).delete()
    return ["Kim"]


WRITES = [
    save,
    save_one_field,
    update,
    bulk_update,
    create,
    bulk_create,
    get_or_create,
    update_or_create,
    delete,
    bulk_delete,
]


@pytest.fixture
def sam() -> Mechanic:
    sam = MechanicFactory.create(full_name="Sam")
    MechanicFactory.create(full_name="Kim")
    return sam


class TestWrite:
    @pytest.mark.parametrize("write", WRITES)
    def test_shows_at_once(
        self,
        write: Callable[[Mechanic], list[str]],
        sam: Mechanic,
        shop: APIClient,
        client_of: ClientOf,
    ) -> None:
        customer = client_of(UserFactory.create())
        assert names(shop) == names(customer) == ["Sam", "Kim"]

        expected = write(sam)

        assert names(shop) == names(customer) == expected
        assert not reads_mechanics(shop)

    @pytest.mark.parametrize("write", WRITES)
    def test_that_is_rolled_back_changes_nothing(
        self,
        write: Callable[[Mechanic], list[str]],
        sam: Mechanic,
        shop: APIClient,
    ) -> None:
        assert names(shop) == ["Sam", "Kim"]

        with transaction.atomic():
            expected = write(sam)
            assert names(shop) == expected
            transaction.set_rollback(True)

        assert names(shop) == ["Sam", "Kim"]

    def test_after_a_rolled_back_one_shows_too(
        self, sam: Mechanic, shop: APIClient
    ) -> None:
        with transaction.atomic():
            Mechanic.objects.filter(pk=sam.pk).update(full_name="Never")
            assert names(shop) == ["Never", "Kim"]
            transaction.set_rollback(True)

        Mechanic.objects.filter(pk=sam.pk).update(full_name="Alex")

        assert names(shop) == ["Alex", "Kim"]

    @pytest.mark.parametrize(
        ("method", "path", "body", "expected"),
        [
            (
                "post",
                "/api/mechanics",
                {
                    "full_name": "New",
                    "email": "new@shop.example",
                    "phone": "1",
                    "salary": 1,
                },
                ["Sam", "Kim", "New"],
            ),
            ("put", "/api/mechanics/{}", {"full_name": "Alex"}, ["Alex", "Kim"]),
            ("patch", "/api/mechanics/{}", {"full_name": "Alex"}, ["Alex", "Kim"]),
            ("delete", "/api/mechanics/{}", {}, ["Kim"]),
        ],
    )
    def test_through_the_api_shows_at_once(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        expected: list[str],
        sam: Mechanic,
        shop: APIClient,
    ) -> None:
        assert names(shop) == ["Sam", "Kim"]

        answer: Response = getattr(shop, method)(path.format(sam.pk), body)

        assert answer.status_code in {200, 201, 204}
        assert names(shop) == expected

    def test_clears_nothing_else_in_the_cache(
        self, sam: Mechanic, shop: APIClient
    ) -> None:
        cache.set("somebody-elses", "value", 60)
        listed(shop)

        save(sam)
        listed(shop)

        assert cache.get("somebody-elses") == "value"

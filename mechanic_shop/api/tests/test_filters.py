"""Known query parameters are checked, unknown ones ignored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanics.tests.factories import MechanicFactory
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

HUGE = str(10**30)
ID_FILTERS = [
    ("/api/service-tickets", "customer_id"),
    ("/api/service-tickets", "vehicle_id"),
    ("/api/service-tickets", "mechanic_id"),
    ("/api/vehicles", "customer_id"),
]
TIME_FILTERS = [
    ("/api/customers", "updated_after"),
    ("/api/inventory", "updated_after"),
    ("/api/service-tickets", "updated_after"),
    ("/api/service-tickets", "opened_after"),
    ("/api/service-tickets", "opened_before"),
]
BOOLEAN_FILTERS = [
    ("/api/inventory", "is_active"),
    ("/api/inventory", "low_stock"),
    ("/api/mechanics/by-activity", "active_only"),
]
BAD = [
    *((path, name, value) for path, name in ID_FILTERS for value in ("x", "0.5", "-1")),
    *((path, name, value) for path, name in ID_FILTERS for value in ("2.5", "1e3")),
    *((path, name, value) for path, name in ID_FILTERS for value in ("NaN", "1,2")),
    *((path, name, "yesterday") for path, name in TIME_FILTERS),
    *((path, name, "2024-13-01T00:00:00Z") for path, name in TIME_FILTERS),
    *(
        (path, name, value)
        for path, name in BOOLEAN_FILTERS
        for value in ("maybe", "2")
    ),
    ("/api/service-tickets", "status", "broken"),
    ("/api/service-tickets", "status", "open,broken"),
    ("/api/service-tickets", "status", "OPEN"),
    ("/api/service-tickets", "priority", "0"),
    ("/api/service-tickets", "priority", "6"),
    ("/api/service-tickets", "priority", "2.5"),
    ("/api/service-tickets", "priority", HUGE),
    ("/api/service-tickets", "ordering", "problem_description"),
    ("/api/service-tickets", "ordering", "customer__user__password"),
    ("/api/inventory", "ordering", "supplier"),
    ("/api/customers", "ordering", "phone"),
    ("/api/customers", "search", "\x00"),
    ("/api/inventory", "category", "\x00"),
    ("/api/vehicles", "vin", "\x00"),
    ("/api/mechanics/by-activity", "order", "sideways"),
    ("/api/mechanics/top", "limit", "0"),
    ("/api/mechanics/top", "limit", "101"),
    ("/api/mechanics/leaderboard", "limit", "many"),
]


class TestBadValue:
    @pytest.mark.parametrize(("path", "name", "value"), BAD)
    def test_is_a_400_that_names_the_parameter(
        self, shop: APIClient, path: str, name: str, value: str
    ) -> None:
        response = shop.get(path, {name: value})

        assert response.status_code == 400
        assert response.json()["code"] == "invalid"
        assert list(response.json()["fields"]) == [name]

    @pytest.mark.parametrize(("path", "name"), ID_FILTERS)
    @pytest.mark.parametrize("value", [str(2**63), HUGE])
    def test_is_never_a_server_error_however_large(
        self, shop: APIClient, path: str, name: str, value: str
    ) -> None:
        TicketFactory.create()

        response = shop.get(path, {name: value})

        assert response.status_code in {200, 400}
        if response.status_code == 200:
            rows, _ = response.json().values()
            assert rows == []

    @pytest.mark.parametrize(("path", "name"), TIME_FILTERS)
    @pytest.mark.parametrize(
        "value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
    )
    def test_is_never_a_server_error_at_the_ends_of_time(
        self, shop: APIClient, path: str, name: str, value: str
    ) -> None:
        response = shop.get(path, {name: value})

        assert response.status_code in {200, 400}

    @pytest.mark.parametrize(
        "path", ["/api/customers", "/api/inventory", "/api/service-tickets"]
    )
    @pytest.mark.parametrize("text", ["%", "_", "'; DROP", "\ud83d\ude00", "a" * 200])
    def test_is_no_search_text_whatever_its_signs(
        self, shop: APIClient, path: str, text: str
    ) -> None:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16")

        response = shop.get(path, {"search": text})

        assert response.status_code == 200
        assert next(iter(response.json().values())) == []


class TestUnknownParameter:
    @pytest.mark.parametrize(
        "path", ["/api/customers", "/api/mechanics", "/api/service-tickets"]
    )
    def test_is_ignored(self, shop: APIClient, path: str) -> None:
        TicketFactory.create()
        MechanicFactory.create()

        response = shop.get(path, {"colour": "red", "is_activ": "x", "id": "0"})

        assert response.status_code == 200
        assert response.json() == shop.get(path).json()


class TestBooleanFilter:
    @pytest.mark.parametrize(
        ("value", "names"),
        [
            ("true", ["kept"]),
            ("True", ["kept"]),
            ("1", ["kept"]),
            ("false", ["dropped"]),
            ("FALSE", ["dropped"]),
            ("0", ["dropped"]),
            ("", ["kept"]),
        ],
    )
    def test_reads_the_usual_words(
        self, shop: APIClient, value: str, names: list[str]
    ) -> None:
        PartFactory.create(name="kept")
        PartFactory.create(name="dropped", is_active=False)

        response = shop.get("/api/inventory", {"is_active": value})

        assert [row["name"] for row in response.json()["parts"]] == names

    def test_goes_along_with_others(self, shop: APIClient) -> None:
        PartFactory.create(name="short", quantity_in_stock=1)
        PartFactory.create(name="gone", quantity_in_stock=1, is_active=False)
        PartFactory.create(name="plenty", quantity_in_stock=99)

        response = shop.get("/api/inventory?is_active=true&low_stock=true")

        assert [row["name"] for row in response.json()["parts"]] == ["short"]


class TestEmptyValue:
    @pytest.mark.parametrize(
        ("path", "name"),
        [*ID_FILTERS, *TIME_FILTERS, *BOOLEAN_FILTERS, ("/api/customers", "search")],
    )
    def test_filters_nothing(self, shop: APIClient, path: str, name: str) -> None:
        TicketFactory.create()
        PartFactory.create()
        MechanicFactory.create()

        def rows(answer: Any) -> Any:
            body = answer.json()
            return body if isinstance(body, list) else next(iter(body.values()))

        assert rows(shop.get(path, {name: ""})) == rows(shop.get(path))
        assert rows(shop.get(path)) != []


class TestListAskedForAgain:
    def names(self, shop: APIClient, query: str = "low_stock=true") -> list[str]:
        answer = shop.get(f"/api/inventory?{query}").json()
        return [row["name"] for row in answer["parts"]]

    def test_reads_its_rows_anew(self, shop: APIClient) -> None:
        PartFactory.create(name="first", quantity_in_stock=1)
        assert self.names(shop) == ["first"]

        PartFactory.create(name="second", quantity_in_stock=1)

        assert self.names(shop) == ["first", "second"]

    def test_is_another_one_with_another_value(self, shop: APIClient) -> None:
        PartFactory.create(name="short", quantity_in_stock=1)
        PartFactory.create(name="plenty", quantity_in_stock=99)

        found = [self.names(shop, f"low_stock={value}") for value in ("true", "false")]

        assert found == [["short"], ["plenty"]]

    def test_shows_everybody_their_own(
        self, client_of: Callable[[User], APIClient]
    ) -> None:
        own = [TicketFactory.create().pk for _ in range(2)]
        logins = User.objects.filter(customer__service_tickets__in=own).order_by("pk")

        found = [
            client_of(login).get("/api/service-tickets?status=open").json()
            for login in logins
        ]

        assert [
            [row["ticket_id"] for row in answer["service_tickets"]] for answer in found
        ] == [[ticket] for ticket in own]

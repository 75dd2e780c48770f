"""What a request costs does not grow with its length: an attacker sends long ones."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from customers.tests.factories import CustomerFactory
from mechanic_shop.api.errors import MAX_ERRORS
from mechanic_shop.core.search_text import MAX_LENGTH, MAX_WORDS
from tickets.tests.factories import TicketFactory

pytestmark = pytest.mark.django_db

SEARCHES = [
    *("/api/customers", "/api/vehicles", "/api/inventory"),
    *("/api/service-tickets", "/api/customers/my-tickets"),
]
LISTS = [
    ("/api/customers", "ordering", "last_name"),
    ("/api/inventory", "ordering", "-name"),
    ("/api/service-tickets", "ordering", "priority"),
    ("/api/service-tickets", "status", "open"),
]
TEXTS = [
    *(("/api/inventory", "category"), ("/api/vehicles", "vin")),
    ("/api/vehicles", "license_plate"),
]
#: All that fits into a request line.
MANY = 3_900


def longest_statement(client: APIClient, path: str, **query: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path, query)
    assert response.status_code == 200
    return max(len(query["sql"]) for query in captured)


class TestSearch:
    @pytest.mark.parametrize("path", SEARCHES)
    @pytest.mark.parametrize(
        "text",
        [
            " ".join(f"{number:x}" for number in range(MANY)),
            " ".join(f"{number:x}" for number in range(MAX_WORDS + 1)),
            "a" * (MAX_LENGTH + 1),
            "a " * MANY,
        ],
        ids=["all-words", "one-word-more", "one-sign-more", "one-word-repeated"],
    )
    def test_is_refused_in_a_sentence_when_too_long(
        self, shop: APIClient, path: str, text: str
    ) -> None:
        with CaptureQueriesContext(connection) as captured:
            response = shop.get(path, {"search": text})

        assert response.status_code == 400
        [sentence] = response.json()["fields"]["search"]
        assert sentence.startswith("Search for at most")
        assert not [query for query in captured if "LIKE" in query["sql"]]

    @pytest.mark.parametrize("path", SEARCHES)
    def test_asks_once_for_a_word_however_often_it_occurs(
        self, shop: APIClient, path: str
    ) -> None:
        once, often = (
            longest_statement(shop, path, search=text) for text in ("ab", "ab " * 60)
        )

        assert once == often

    def test_joins_each_table_once_for_all_words(self, shop: APIClient) -> None:
        words = " ".join("abcdefghij")
        with CaptureQueriesContext(connection) as captured:
            shop.get("/api/service-tickets", {"search": words})

        [statement] = [query["sql"] for query in captured if "LIKE" in query["sql"]]
        assert statement.count("JOIN") <= 6
        assert "T10" not in statement

    def test_finds_rows_by_as_many_words_as_it_takes(self, shop: APIClient) -> None:
        words = [f"word{number}" for number in range(MAX_WORDS)]
        CustomerFactory.create(last_name=" ".join(words))

        answer = shop.get("/api/customers", {"search": " ".join(words)}).json()

        assert len(answer["customers"]) == 1


class TestListParameter:
    @pytest.mark.parametrize(("path", "name", "value"), LISTS)
    def test_is_refused_in_a_sentence_when_too_long(
        self, shop: APIClient, path: str, name: str, value: str
    ) -> None:
        response = shop.get(path, {name: ",".join([value] * MANY)})

        assert response.status_code == 400
        assert response.json()["fields"] == {name: ["Send at most 20 values."]}

    @pytest.mark.parametrize(("path", "name", "value"), LISTS)
    def test_counts_once_whatever_is_repeated(
        self, shop: APIClient, path: str, name: str, value: str
    ) -> None:
        once, often = (
            longest_statement(shop, path, **{name: ",".join([value] * times)})
            for times in (1, 20)
        )

        assert once == often

    @pytest.mark.parametrize(("path", "name"), TEXTS)
    def test_is_no_text_longer_than_what_it_is_compared_with(
        self, shop: APIClient, path: str, name: str
    ) -> None:
        response = shop.get(path, {name: "a" * (MAX_LENGTH + 1)})

        assert response.status_code == 400
        assert list(response.json()["fields"]) == [name]


class TestBody:
    def test_is_refused_by_its_first_unknown_fields(self, shop: APIClient) -> None:
        body: dict[str, Any] = {f"f{number}": 1 for number in range(50_000)}

        response = shop.post("/api/mechanics", body)

        assert response.status_code == 400
        assert len(response.json()["fields"]) == MAX_ERRORS
        assert len(response.content) < 10_000

    @pytest.mark.parametrize("name", ["add_ids", "remove_ids"])
    @pytest.mark.parametrize("item", [1, "x" * 20])
    def test_lists_a_hundred_ids_at_most(
        self, shop: APIClient, name: str, item: Any
    ) -> None:
        ticket = TicketFactory.create()
        path = f"/api/service-tickets/{ticket.pk}/edit"

        response = shop.put(path, {name: [item] * 20_000})

        assert response.status_code == 400
        [sentence] = response.json()["fields"][name]
        assert "100" in sentence
        assert len(response.content) < 1_000

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/api/inventory", {"x" * 500_000: 1}),
            ("/api/service-tickets", {"vehicle_id": "9" * 500_000}),
            ("/api/service-tickets", {"vehicle_id": 1, "status": "x" * 500_000}),
        ],
        ids=["name", "number", "choice"],
    )
    def test_is_not_sent_back_in_a_complaint(
        self, shop: APIClient, path: str, body: dict[str, Any]
    ) -> None:
        response = shop.post(path, body)

        assert response.status_code == 400
        assert len(response.content) < 5_000

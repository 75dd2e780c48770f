"""What a page of the back office costs does not grow with its address."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.tests.factories import CustomerFactory, VehicleFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.core.search_text import MAX_LENGTH, MAX_WORDS
from tests.support.back_office import browser_of, url

pytestmark = pytest.mark.django_db

LISTS = sorted(admin.site._registry, key=lambda model: model._meta.label)
TOO_LONG = ["x" * (MAX_LENGTH + 1), " ".join("abcdefghijklmnop"[: MAX_WORDS + 1])]


@pytest.fixture
def desk(owner: User) -> Client:
    return browser_of(owner)


class TestSearch:
    @pytest.mark.parametrize("text", TOO_LONG, ids=["letters", "words"])
    def test_of_every_list_is_refused_in_a_sentence(
        self, desk: Client, text: str
    ) -> None:
        for model in LISTS:
            with CaptureQueriesContext(connection) as captured:
                page = desk.get(url(model, "changelist"), {"q": text}).content.decode()

            assert "Search for at most" in page, model
            assert not [query for query in captured if "LIKE" in query["sql"]], model

    @pytest.mark.parametrize("text", TOO_LONG, ids=["letters", "words"])
    def test_of_a_select_finds_nothing(self, desk: Client, text: str) -> None:
        CustomerFactory.create(last_name=text)
        query = {
            "app_label": "customers",
            "model_name": "vehicle",
            "field_name": "customer",
            "term": text,
        }

        found = desk.get(reverse("admin:autocomplete"), query).json()

        assert found["results"] == []
        assert "Search for at most" not in desk.get("/admin/").content.decode()

    @pytest.mark.parametrize("text", TOO_LONG, ids=["letters", "words"])
    def test_of_the_command_box_finds_nothing(self, desk: Client, text: str) -> None:
        VehicleFactory.create()

        with CaptureQueriesContext(connection) as captured:
            page = desk.get(reverse("admin:search"), {"s": text})

        assert page.status_code == 200
        assert not [query for query in captured if "LIKE" in query["sql"]]


class TestList:
    @pytest.mark.parametrize(
        "query",
        [
            "o=" + ".".join("1" * 3_000),
            "&".join("pk__exact=1" for _ in range(700)),
            "pk__in=" + ",".join("1" * 3_000),
        ],
        ids=["order", "repeated-filter", "filter-with-a-list"],
    )
    def test_is_refused_with_thousands_of_values(
        self, desk: Client, query: str
    ) -> None:
        for model in LISTS:
            with CaptureQueriesContext(connection) as captured:
                response = desk.get(url(model, "changelist") + f"?{query}")

            assert response.status_code == 400, model
            assert max(len(query["sql"]) for query in captured) < 5_000, model

    def test_is_refused_as_a_file_too(self, desk: Client) -> None:
        address = reverse("admin:customers_customer_export", args=["csv"])

        assert desk.get(f"{address}?o={'1.' * 300}").status_code == 400

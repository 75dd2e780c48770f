"""What an app adds to the details of another app's rows."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework import serializers
from rest_framework.test import APIClient

from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.core.registry import DetailSection, detail_sections

pytestmark = pytest.mark.django_db


class ShelfSerializer(serializers.Serializer[Any]):
    aisle = serializers.IntegerField()
    seen_by = serializers.EmailField()


class Shelf:
    """A section whose content a test can change."""

    def __init__(self) -> None:
        self.aisle: int | None = 7

    def read(self, part: Part, user: User) -> dict[str, Any] | None:
        return self.aisle and {"aisle": self.aisle, "seen_by": user.email}  # type: ignore[return-value]


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf()
    known = [
        *detail_sections,
        DetailSection(Part, "shelf", ShelfSerializer, shelf.read),
    ]
    monkeypatch.setattr(detail_sections, "_items", known)
    return shelf


@pytest.fixture
def part() -> str:
    return f"/api/inventory/{PartFactory.create().pk}"


class TestDetailSection:
    def test_detail_shows_it_to_the_caller(
        self, shelf: Shelf, shop: APIClient, owner: User, part: str
    ) -> None:
        assert shop.get(part).json()["shelf"] == {"aisle": 7, "seen_by": owner.email}

    def test_answer_to_a_change_shows_it(
        self, shelf: Shelf, shop: APIClient, part: str
    ) -> None:
        assert shop.patch(part, {"name": "New"}).json()["shelf"]["aisle"] == 7

    def test_section_without_content_is_null(
        self, shelf: Shelf, shop: APIClient, part: str
    ) -> None:
        shelf.aisle = None

        assert shop.get(part).json()["shelf"] is None

    def test_lists_are_without_it(
        self, shelf: Shelf, shop: APIClient, part: str
    ) -> None:
        [listed] = shop.get("/api/inventory").json()["parts"]

        assert "shelf" not in listed

    def test_etag_changes_with_it(
        self, shelf: Shelf, shop: APIClient, part: str
    ) -> None:
        before = shop.get(part)["ETag"]
        shelf.aisle = 8

        assert shop.get(part)["ETag"] != before
        change = shop.patch(part, {"name": "New"}, headers={"If-Match": before})
        assert change.status_code == 412

    def test_bodies_may_hold_it_and_change_nothing(
        self, shelf: Shelf, shop: APIClient, part: str
    ) -> None:
        shown = shop.get(part).json()

        change = shop.put(part, {**shown, "shelf": {"aisle": 99}})

        assert change.status_code == 200
        assert change.json()["shelf"]["aisle"] == 7

    def test_bodies_with_its_name_are_400_without_it(
        self, shop: APIClient, part: str
    ) -> None:
        assert shop.put(part, {"shelf": {"aisle": 99}}).status_code == 400

    def test_schema_documents_it_as_optional(self, shelf: Shelf) -> None:
        schema = SchemaGenerator().get_schema(public=True)["components"]["schemas"]

        assert "shelf" in schema["Part"]["properties"]
        assert "shelf" not in schema["Part"]["required"]
        assert schema["Shelf"]["properties"].keys() == {"aisle", "seen_by"}

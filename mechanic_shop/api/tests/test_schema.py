"""The OpenAPI document is valid and lists each operation once, by its one name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    document: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return document


@pytest.fixture
def operations(schema: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, item in schema["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


Operations = dict[tuple[str, str], dict[str, Any]]


class TestSchema:
    def test_is_valid(self, schema: dict[str, Any]) -> None:
        validate_schema(schema)

        assert schema["openapi"].startswith("3.")

    def test_is_made_without_a_warning(self, tmp_path: Path) -> None:
        file = tmp_path / "schema.yml"

        call_command("spectacular", "--validate", "--fail-on-warn", file=str(file))

        assert file.read_text().startswith("openapi:")

    def test_is_served_to_everyone(self, anonymous: APIClient) -> None:
        response = anonymous.get("/api/schema", {"format": "json"})

        assert response.status_code == 200
        assert "/api/inventory" in response.json()["paths"]

    def test_writes_paths_without_the_slash(self, schema: dict[str, Any]) -> None:
        strange = [
            path
            for path in schema["paths"]
            if not re.fullmatch(r"(/[a-z-]+|/\{[a-z_]+\})+", path)
        ]

        assert strange == []
        assert all(path.startswith("/api/") for path in schema["paths"])

    def test_lists_tickets_by_the_hyphen_alone(self, schema: dict[str, Any]) -> None:
        tickets = [path for path in schema["paths"] if "tickets" in path]

        assert "/api/service-tickets" in tickets
        assert "/api/service-tickets/{id}/edit" in tickets
        assert not any("service_tickets" in path for path in tickets)

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("post", "/api/customers/login"),
            ("get", "/api/customers/my-tickets"),
            ("get", "/api/mechanics/top"),
            ("get", "/api/mechanics/leaderboard"),
            ("post", "/api/service-tickets/{id}/parts"),
            ("post", "/api/service-tickets/{id}/add-part/{part_id}"),
            ("post", "/api/auth/register"),
            ("post", "/api/auth/password-reset/confirm"),
            ("patch", "/api/inventory/{id}/adjust-quantity"),
            ("get", "/api/customers/{customer_id}/service-tickets"),
            ("delete", "/api/service-tickets/{id}/parts/{part_id}"),
        ],
    )
    def test_lists_the_paths_of_both_old_systems(
        self, operations: Operations, method: str, path: str
    ) -> None:
        assert (method, path) in operations

    def test_leaves_out_what_is_no_part_of_the_contract(
        self, operations: Operations
    ) -> None:
        assert ("put", "/api/vehicles/{id}") not in operations
        assert not any("format" in path for _, path in operations)

    def test_gives_every_operation_an_id_of_its_own(
        self, operations: Operations
    ) -> None:
        ids = [operation.get("operationId", "") for operation in operations.values()]

        assert len(set(ids)) == len(ids) > 50
        assert all(re.fullmatch(r"[a-z][a-z_]+", name) for name in ids)

    def test_puts_every_operation_under_one_tag(self, operations: Operations) -> None:
        tags = {tuple(operation.get("tags", ())) for operation in operations.values()}

        assert tags == {
            (tag,)
            for tag in (
                "auth",
                "customers",
                "inventory",
                "mechanics",
                "service-tickets",
                "vehicles",
            )
        }

    def test_tells_how_every_operation_answers_when_it_succeeds(
        self, operations: Operations
    ) -> None:
        silent = [
            key
            for key, value in operations.items()
            if not {"200", "201", "204"} & value["responses"].keys()
        ]

        assert silent == []

    def test_names_only_paths_that_answer(self, operations: Operations) -> None:
        for method, path in operations:
            view = resolve(re.sub(r"\{\w+\}", "1", path)).func

            assert method in view.actions  # type: ignore[attr-defined]

    def test_shows_the_names_of_a_page(
        self, schema: dict[str, Any], operations: Operations
    ) -> None:
        answer = operations["get", "/api/inventory"]["responses"]["200"]
        page = answer["content"]["application/json"]["schema"]["$ref"].split("/")[-1]

        properties = schema["components"]["schemas"][page]["properties"]
        assert set(properties) == {"parts", "pagination"}
        assert "total_parts" in properties["pagination"]["properties"]

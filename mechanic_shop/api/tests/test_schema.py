"""The OpenAPI document is valid and lists each operation once, by its one name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema
from jsonschema import Draft4Validator
from rest_framework.test import APIClient

ROOT = Path(__file__).resolve().parents[3]
METHODS = {"get", "post", "put", "patch", "delete"}
TAGS = [
    "auth",
    "customers",
    "vehicles",
    "mechanics",
    "inventory",
    "service-tickets",
]


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
        assert "/api/service-tickets/{ticket_id}/edit" in tickets
        assert not any("service_tickets" in path for path in tickets)

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("post", "/api/customers/login"),
            ("get", "/api/customers/my-tickets"),
            ("get", "/api/mechanics/top"),
            ("get", "/api/mechanics/leaderboard"),
            ("post", "/api/service-tickets/{ticket_id}/parts"),
            ("post", "/api/service-tickets/{ticket_id}/add-part/{part_id}"),
            ("post", "/api/auth/register"),
            ("post", "/api/auth/password-reset/confirm"),
            ("patch", "/api/inventory/{part_id}/adjust-quantity"),
            ("get", "/api/customers/{customer_id}/service-tickets"),
            ("delete", "/api/service-tickets/{ticket_id}/parts/{part_id}"),
        ],
    )
    def test_lists_the_paths_of_both_old_systems(
        self, operations: Operations, method: str, path: str
    ) -> None:
        assert (method, path) in operations

    def test_leaves_out_what_is_no_part_of_the_contract(
        self, operations: Operations
    ) -> None:
        assert ("put", "/api/vehicles/{vehicle_id}") not in operations
        assert not any("format" in path for _, path in operations)

    def test_gives_every_operation_an_id_of_its_own(
        self, operations: Operations
    ) -> None:
        ids = [operation.get("operationId", "") for operation in operations.values()]

        assert len(set(ids)) == len(ids) > 50
        assert all(re.fullmatch(r"[a-z][a-z_]+", name) for name in ids)

    def test_puts_every_operation_under_one_tag(self, operations: Operations) -> None:
        tags = {tuple(operation.get("tags", ())) for operation in operations.values()}

        assert tags == {(tag,) for tag in TAGS}

    def test_introduces_the_tags_in_the_order_of_the_paths(
        self, schema: dict[str, Any], operations: Operations
    ) -> None:
        used = [operation["tags"][0] for operation in operations.values()]

        assert [tag["name"] for tag in schema["tags"]] == TAGS
        assert used == sorted(used, key=TAGS.index)
        assert all(tag["description"] for tag in schema["tags"])

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


class TestWords:
    def test_are_there_for_every_operation(self, operations: Operations) -> None:
        for key, operation in operations.items():
            summary, description = operation["summary"], operation["description"]

            assert summary[0].isupper(), key
            assert not summary.endswith("."), key
            assert description.endswith((".", "`")), key
            assert description.rstrip(".") != summary, key

    def test_are_unlike_for_unlike_operations(self, operations: Operations) -> None:
        summaries = [operation["summary"] for operation in operations.values()]

        assert len(set(summaries)) == len(summaries)

    @pytest.mark.parametrize(
        ("method", "path", "name"),
        [
            ("get", "/api/customers", "list_customers"),
            ("get", "/api/customers/my-tickets", "list_my_tickets"),
            ("patch", "/api/inventory/{part_id}", "update_part"),
            ("post", "/api/service-tickets/{ticket_id}/notes", "add_note"),
            ("put", "/api/service-tickets/{ticket_id}/edit", "edit_mechanics"),
            ("post", "/api/auth/password-reset", "request_password_reset"),
        ],
    )
    def test_name_operations_verb_first(
        self, operations: Operations, method: str, path: str, name: str
    ) -> None:
        assert operations[method, path]["operationId"] == name


class TestParameters:
    def test_in_paths_are_numbers_named_for_their_row(
        self, operations: Operations
    ) -> None:
        for (_, path), operation in operations.items():
            in_path = [
                parameter
                for parameter in operation.get("parameters", [])
                if parameter.get("in") == "path"
            ]

            assert [row["name"] for row in in_path] == re.findall(r"{(\w+)}", path)
            assert all(row["schema"]["type"] == "integer" for row in in_path)
            assert all(row["name"].endswith("_id") for row in in_path)

    def test_in_queries_say_what_they_do(self, operations: Operations) -> None:
        silent = [
            (key, parameter["name"])
            for key, operation in operations.items()
            for parameter in operation.get("parameters", [])
            if parameter.get("in") == "query" and not parameter.get("description")
        ]

        assert silent == []

    @pytest.mark.django_db
    def test_in_queries_may_be_empty_where_that_is_said(
        self, shop: APIClient, operations: Operations
    ) -> None:
        for (_, path), operation in operations.items():
            for parameter in operation.get("parameters", []):
                if parameter.get("in") == "query" and "{" not in path:
                    answer = shop.get(path, {parameter["name"]: ""})

                    accepted = parameter.get("allowEmptyValue", False)
                    assert (answer.status_code == 200) is accepted, (path, parameter)

    @pytest.mark.parametrize(
        ("method", "path", "headers"),
        [
            ("get", "/api/inventory/{part_id}", {"If-None-Match"}),
            ("post", "/api/inventory", {"Idempotency-Key"}),
            ("patch", "/api/inventory/{part_id}", {"Idempotency-Key", "If-Match"}),
            ("put", "/api/inventory/{part_id}", {"If-Match"}),
            ("delete", "/api/inventory/{part_id}", {"If-Match"}),
            ("get", "/api/inventory", set()),
            ("post", "/api/auth/login", set()),
            ("post", "/api/customers/login", set()),
        ],
    )
    def test_in_headers_are_those_that_the_operation_reads(
        self, operations: Operations, method: str, path: str, headers: set[str]
    ) -> None:
        parameters = operations[method, path].get("parameters", [])

        shared = [row["$ref"] for row in parameters if "$ref" in row]
        assert {reference.rpartition("/")[2] for reference in shared} == headers


class TestAnswers:
    def test_fail_in_the_one_schema(
        self, schema: dict[str, Any], operations: Operations
    ) -> None:
        for key, operation in operations.items():
            for status, answer in operation["responses"].items():
                if status < "400":
                    continue
                found = resolved(schema, answer)["content"]["application/json"]

                assert found["schema"] == {"$ref": "#/components/schemas/Error"}, key
                assert found["examples"], (key, status)

    @pytest.mark.parametrize(
        ("method", "path", "statuses"),
        [
            ("get", "/api/mechanics", "200 401 503"),
            ("get", "/api/auth/me", "200 401 503"),
            ("post", "/api/auth/login", "200 400 401 413 415 429 503"),
            ("post", "/api/auth/register", "201 400 413 415 429 503"),
            ("get", "/api/inventory", "200 400 401 403 404 503"),
            ("get", "/api/inventory/{part_id}", "200 304 401 403 404 503"),
            ("post", "/api/inventory", "201 400 401 403 409 413 415 422 429 503"),
            (
                "patch",
                "/api/inventory/{part_id}",
                "200 400 401 403 404 409 412 413 415 422 503",
            ),
            ("delete", "/api/inventory/{part_id}", "204 401 403 404 409 412 503"),
        ],
    )
    def test_name_every_status_that_can_happen(
        self, operations: Operations, method: str, path: str, statuses: str
    ) -> None:
        assert list(operations[method, path]["responses"]) == statuses.split()

    def test_are_complete_but_for_what_some_callers_may_not_see(
        self, schema: dict[str, Any]
    ) -> None:
        shapes = schema["components"]["schemas"]

        assert set(shapes["Part"]["required"]) == set(shapes["Part"]["properties"])
        assert set(shapes["Mechanic"]["required"]) == {
            *("mechanic_id", "full_name", "is_active", "ticket_count"),
        }
        assert "salary" in shapes["Mechanic"]["properties"]

    def test_carry_the_headers_that_programs_read(
        self, schema: dict[str, Any], operations: Operations
    ) -> None:
        created = operations["post", "/api/inventory"]["responses"]["201"]["headers"]
        refused = resolved(
            schema, operations["post", "/api/inventory"]["responses"]["429"]
        )["headers"]

        assert {"ETag", "Idempotency-Replayed", "X-Request-ID"} < created.keys()
        assert "RateLimit-Remaining" in created
        assert "Retry-After" in refused


class TestRequests:
    def test_refuse_fields_that_are_not_known(self, schema: dict[str, Any]) -> None:
        lax = [
            name
            for name, shape in schema["components"]["schemas"].items()
            if name.endswith("Request") and shape.get("additionalProperties", True)
        ]

        assert lax == []

    def test_need_nothing_where_a_row_is_changed(self, schema: dict[str, Any]) -> None:
        shapes = schema["components"]["schemas"]

        assert "required" not in shapes["PartChanges"]
        assert shapes["AdjustQuantityRequest"]["required"] == ["adjustment"]

    def test_are_the_same_for_put_and_patch(self, operations: Operations) -> None:
        for (method, path), operation in operations.items():
            if method == "put" and ("patch", path) in operations:
                patch = operations["patch", path]

                assert _schema_of(operation) == _schema_of(patch)

    def test_are_json(self, operations: Operations) -> None:
        for operation in operations.values():
            if "requestBody" in operation:
                assert list(operation["requestBody"]["content"]) == ["application/json"]


class TestExamples:
    def test_fit_the_schemas(
        self, schema: dict[str, Any], operations: Operations
    ) -> None:
        for key, operation in operations.items():
            for content in _contents(schema, operation):
                for example in content.get("examples", {}).values():
                    assert _complaints(schema, content["schema"], example) == [], key

    def test_are_there_for_every_body(
        self, schema: dict[str, Any], operations: Operations
    ) -> None:
        bare = [
            key
            for key, operation in operations.items()
            for content in _contents(schema, operation)
            if not content.get("examples")
        ]

        assert bare == []

    def test_show_the_bodies_of_the_readme(self, operations: Operations) -> None:
        calls = readme_calls()

        assert len(calls) == 11
        for method, path, body in calls:
            [operation] = [
                operation
                for (verb, pattern), operation in operations.items()
                if verb == method and _matches(pattern, path)
            ]
            content = operation["requestBody"]["content"]["application/json"]

            values = [example["value"] for example in content["examples"].values()]
            assert body in values, (method, path)


class TestCommittedDocument:
    def test_is_what_the_code_says(self, schema: dict[str, Any]) -> None:
        committed = yaml.safe_load((ROOT / "schema.yml").read_text())

        assert committed == yaml.safe_load(OpenApiYamlRenderer().render(schema))


def readme_calls() -> list[tuple[str, str, dict[str, Any]]]:
    """Return the calls of the README's walk that have a body, with every id 1 or 2."""
    readme = (ROOT / "README.md").read_text().replace("\n  ", " ")
    readme = readme.replace("'$OTIS'", "2").replace("${RUN: -7}", "$RUN")
    calls = re.findall(r"^call ([A-Z]+) '?(/[^ ]+?)'? '({.*})'$", readme, re.M)
    return [
        (method.lower(), _with_ids(path), json.loads(_with_ids(body)))
        for method, path, body in calls
    ]


def _with_ids(text: str) -> str:
    return re.sub(r"'?\$[A-Z]+'?", "1", text)


def _matches(pattern: str, path: str) -> bool:
    variable = re.sub(r"{\w+}", "[0-9]+", pattern)
    return re.fullmatch(variable, f"/api{path}") is not None


def resolved(schema: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference to a shared answer."""
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = schema["components"]["responses"][
        answer["$ref"].rpartition("/")[2]
    ]
    return found


def _schema_of(operation: dict[str, Any]) -> Any:
    return operation["requestBody"]["content"]["application/json"]["schema"]


def _contents(
    schema: dict[str, Any], operation: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield what an operation takes and answers, where that has a body."""
    answers = [resolved(schema, answer) for answer in operation["responses"].values()]
    for body in [operation.get("requestBody", {}), *answers]:
        yield from body.get("content", {}).values()


def _complaints(
    schema: dict[str, Any], shape: dict[str, Any], example: dict[str, Any]
) -> list[str]:
    """Check an example by the draft that OpenAPI 3.0 is built on, and ``nullable``."""
    document = {**json_schema(shape), "components": json_schema(schema["components"])}
    checker = Draft4Validator(document)
    return [error.message for error in checker.iter_errors(example["value"])]


def json_schema(shape: Any) -> Any:
    if isinstance(shape, list):
        return [json_schema(item) for item in shape]
    if not isinstance(shape, dict):
        return shape
    plain = {name: json_schema(value) for name, value in shape.items()}
    if plain.pop("nullable", None) is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain

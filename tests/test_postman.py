"""The Postman collection calls every operation, and asserts and explains each call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from demo.people import login_table

FOLDER = Path(__file__).resolve().parent.parent / "postman"
COLLECTION = FOLDER / "mechanic-shop.postman_collection.json"
ENVIRONMENT = FOLDER / "mechanic-shop.postman_environment.json"
SHOP_FOLDERS = [
    *("Authentication", "Customers", "Vehicles", "Mechanics", "Service tickets"),
    *("Inventory", "System B"),
]
METHODS = {"get", "post", "put", "patch", "delete"}
#: Called although they are no operations: an unknown address, a wrong method.
NOT_OPERATIONS = {("GET", "/nowhere"), ("DELETE", "/auth/login")}
#: Bodies hold nothing else that looks like a secret but is no variable.
REFUSED_SECRETS = {"12345678", "made-up"}

VARIABLE = re.compile(r"\{\{(\w+)\}\}")
SECRET_IN_BODY = re.compile(r'"(?:\w*password|\w*token)": "([^"]*)"')
#: Each of them looks at the status.
ASSERTION = re.compile(r"\b(?:t\.(?:answers|lists|refuses|shows)|budget)\(")
HOST = re.compile(r"https?://[\w.-]+|\b\d+\.\d+\.\d+\.\d+\b")
LOOKS_LIKE_TOKEN = re.compile(r"eyJ[\w-]{8,}")
SET = re.compile(r'pm\.(environment|variables)\.set\("(\w+)"')
KEPT = re.compile(r"t\.keep\(\(body\) => \(\{(.*?)\}\)\)", re.S)
PROPERTY = re.compile(r"(\w+):")


@dataclass(frozen=True)
class Call:
    """One request of the collection."""

    place: str
    method: str
    path: str
    body: str
    description: str
    test: str


def call_of(place: str, item: dict[str, Any]) -> Call:
    request = item["request"]
    return Call(
        place=f"{place} / {item['name']}",
        method=request["method"],
        path=request["url"]["raw"],
        body=request.get("body", {}).get("raw", ""),
        description=request.get("description", ""),
        test="\n".join(scripts_of(item, "test")),
    )


def calls_of(item: dict[str, Any], place: str = "") -> Iterator[Call]:
    for inner in item.get("item", []):
        if "request" in inner:
            yield call_of(place, inner)
        else:
            yield from calls_of(inner, inner["name"])


def scripts_of(item: dict[str, Any], *listens: str) -> Iterator[str]:
    """Give an item's own scripts, and those of what is in it."""
    for event in item.get("event", []):
        if event["listen"] in (listens or ("prerequest", "test")):
            yield "\n".join(event["script"]["exec"])
    for inner in item.get("item", []):
        yield from scripts_of(inner, *listens)


def in_one_spelling(path: str) -> str:
    """Write an address as the schema does, with a star for each id."""
    path = path.removeprefix("{{base_url}}").removeprefix("/api").partition("?")[0]
    path = path.replace("service_tickets", "service-tickets").rstrip("/")
    return re.sub(r"(?<=/)(\{+\w+\}+|\d+)(?=/|$)", "*", path)


def saved_by(script: str) -> set[str]:
    """Name the environment's variables that a script saves."""
    names = {name for scope, name in SET.findall(script) if scope == "environment"}
    return names.union(*(PROPERTY.findall(kept) for kept in KEPT.findall(script)))


@pytest.fixture(scope="module")
def collection() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(COLLECTION.read_text())
    return document


@pytest.fixture(scope="module")
def calls(collection: dict[str, Any]) -> list[Call]:
    return list(calls_of(collection))


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    values = json.loads(ENVIRONMENT.read_text())["values"]
    return {value["key"]: value["value"] for value in values}


class TestCollection:
    def test_calls_every_operation_and_nothing_else(self, calls: list[Call]) -> None:
        paths = SchemaGenerator().get_schema(public=True)["paths"]
        operations = {
            (method.upper(), in_one_spelling(path))
            for path, methods in paths.items()
            for method in methods.keys() & METHODS
        }

        called = {(call.method, in_one_spelling(call.path)) for call in calls}

        assert len(operations) >= 60
        assert called == operations | NOT_OPERATIONS

    def test_asserts_something_of_every_answer(self, calls: list[Call]) -> None:
        assert [call.place for call in calls if not ASSERTION.search(call.test)] == []

    def test_describes_every_request(self, calls: list[Call]) -> None:
        assert [call.place for call in calls if len(call.description) < 5] == []

    def test_tells_its_requests_apart_by_their_names(self, calls: list[Call]) -> None:
        places = [call.place for call in calls]

        assert sorted(places) == sorted(set(places))

    def test_has_the_folders_in_the_order_in_which_they_run(
        self, collection: dict[str, Any]
    ) -> None:
        names = [folder["name"] for folder in collection["item"]]

        assert names == [*SHOP_FOLDERS, "Limits"]
        assert all(folder["description"] for folder in collection["item"])

    def test_follows_no_redirect(self, collection: dict[str, Any]) -> None:
        assert collection["protocolProfileBehavior"] == {"followRedirects": False}

    def test_speaks_to_the_host_of_the_environment_only(
        self, calls: list[Call], collection: dict[str, Any]
    ) -> None:
        text = json.dumps(collection["item"]) + json.dumps(collection["event"])

        # A forged address in a header, from the range that is for documentation.
        assert set(HOST.findall(text)) == {"203.0.113.77"}
        assert {call.path.partition("/")[0] for call in calls} == {"{{base_url}}"}

    def test_holds_no_secret(self, calls: list[Call]) -> None:
        secrets = {
            secret
            for call in calls
            for secret in SECRET_IN_BODY.findall(call.body)
            if "{{" not in secret
        }

        assert secrets <= REFUSED_SECRETS
        assert not LOOKS_LIKE_TOKEN.search(COLLECTION.read_text())

    def test_is_written_as_postman_exports_it(self) -> None:
        for path in (COLLECTION, ENVIRONMENT):
            document = json.loads(path.read_text())
            text = json.dumps(document, indent="\t", ensure_ascii=False)
            assert path.read_text() == text + "\n"


class TestEnvironment:
    def test_has_every_variable_that_the_collection_uses(
        self, collection: dict[str, Any], environment: dict[str, str]
    ) -> None:
        scripts = "\n".join(scripts_of(collection))
        passing = {name for scope, name in SET.findall(scripts) if scope == "variables"}

        used = set(VARIABLE.findall(json.dumps(collection)))

        assert used - passing - environment.keys() == set()

    def test_has_every_variable_that_a_script_saves(
        self, collection: dict[str, Any], environment: dict[str, str]
    ) -> None:
        saved = saved_by("\n".join(scripts_of(collection)))

        assert saved - environment.keys() == set()

    def test_is_given_only_the_address_and_the_logins_of_the_demo_shop(
        self, environment: dict[str, str]
    ) -> None:
        logins = {role: (email, password) for role, email, password in login_table()}
        [password] = {password for _, password in logins.values()}

        given = {name: value for name, value in environment.items() if value}

        assert given == {
            "base_url": "http://127.0.0.1:8000/api",
            "manager_email": logins["Manager"][0],
            "advisor_email": logins["Service advisor"][0],
            "technician_email": logins["Technician"][0],
            "owner_email": logins["Owner"][0],
            "password": password,
        }


class TestNewman:
    def test_is_pinned(self) -> None:
        package = json.loads((FOLDER / "package.json").read_text())
        lock = json.loads((FOLDER / "package-lock.json").read_text())

        version = package["devDependencies"]["newman"]

        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert lock["packages"]["node_modules/newman"]["version"] == version

    def test_runs_every_folder(self) -> None:
        scripts = json.loads((FOLDER / "package.json").read_text())["scripts"]

        folders = re.findall(r'--folder (?:"([^"]+)"|(\w+))', scripts["shop"])

        assert [quoted or word for quoted, word in folders] == SHOP_FOLDERS
        assert scripts["limits"].endswith(" --folder Limits")

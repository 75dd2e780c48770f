"""What a body may hold, and that nothing else has an effect."""

from __future__ import annotations

import json
import re
from typing import Any

from django.conf import LazySettings

from mechanic_shop.api.errors import MAX_ERRORS

from .access import LIKE, OPEN, Rule
from .database_state import difference, read_state, value_for_every_column
from .facts import ContractFacts, fields_of_all_contracts, for_each
from .garage import Garage, undone

JSON = "application/json"
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

#: What no operation can read as one JSON object.
UNREADABLE = {
    "half a body": b'{"name": ',
    "an array": b"[]",
    "100,000 levels": b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "utf-16": '{"name": "x"}'.encode("utf-16"),
    "a surrogate in a key": b'{"\\udfff": 1}',
}
#: What nobody looks at in a derived field.
DERIVED: list[Any] = [7, "nonsense", None, [], {"vin": "x"}]
#: What no read-only field holds.
CHANGED: list[Any] = [0, "now", [1], 10**30, "2001-01-01T00:00:00Z"]
#: Readable, and good for no field.
WRONG: dict[str, Any] = {
    "a list": ["x"],
    "an object": {"x": 1},
    "200 levels": json.loads("[" * 200 + "]" * 200),
    "a NUL": "a\x00b",
    "a huge number": 10**30,
    "6,000 digits as text": "9" * 6_000,
}


class BodyContract(ContractFacts):
    @classmethod
    def bodies_with_derived_fields(cls) -> list[Rule]:
        return [rule for rule in cls.bodies_to_write() if cls.fields_taken(rule)[1]]

    @classmethod
    def deletes(cls) -> list[Rule]:
        return [rule for rule in cls.operations() if rule.method == "DELETE"]

    @classmethod
    def changes(cls) -> list[Rule]:
        """Return the operations that change a row which can be read."""
        return [
            rule
            for rule in cls.operations()
            if rule.method in {"PUT", "PATCH"} and cls.is_detail(rule)
        ]

    @for_each("details")
    def test_row_shows_the_stated_fields(self, garage: Garage, rule: Rule) -> None:
        callers = [who for who, status in rule.statuses.items() if status == 200]

        shown = {who: set(garage.send(who, rule).json()) for who in callers}

        assert shown == {who: self._fields_for(who) for who in callers}

    @classmethod
    def _fields_for(cls, caller: str) -> set[str]:
        fields = f"{cls.fields} {cls.ignored_fields} {cls.read_only_fields}"
        column = {**LIKE, OPEN: cls.open_access_as}.get(caller, caller)
        return set(fields.split()) - set(cls.hidden_fields.get(column, "").split())

    @for_each("details")
    def test_times_of_a_row_are_utc_with_a_z(self, garage: Garage, rule: Rule) -> None:
        row = garage.send(self.strongest_caller(rule), rule).json()

        times = [row[name] for name in row if name.endswith("_at") and row[name]]
        assert times
        assert [time for time in times if not UTC_TIME.fullmatch(time)] == []

    def _effect(
        self, garage: Garage, rule: Rule, extra: dict[str, Any]
    ) -> tuple[int, set[tuple[Any, ...]]]:
        """Send a request with more in its body; return its status and its changes."""
        body = {**extra, **garage.body(rule)}
        with undone():
            before = read_state()
            answer = garage.send(self.weakest_caller(rule), rule, body)
            return answer.status_code, difference(before, read_state())

    @for_each("bodies_to_write")
    def test_fields_beside_those_stated_change_nothing(
        self, garage: Garage, rule: Rule
    ) -> None:
        taken, ignored = self.fields_taken(rule)
        names = fields_of_all_contracts() | {"surprise", "ansi\u2028"}
        others = {**dict.fromkeys(names, 7), **value_for_every_column()}
        unknown = {name: others[name] for name in others.keys() - taken}
        before = read_state()

        answers = [
            garage.send(self.weakest_caller(rule), rule, {**some, **garage.body(rule)})
            for some in in_parts(unknown, MAX_ERRORS)
        ]

        again = garage.send("superuser", rule, {**garage.body(rule), "surprise": 1})

        assert {answer.status_code for answer in [*answers, again]} == {400}
        named = [name for answer in answers for name in answer.data["fields"]]
        assert set(named) == unknown.keys() - ignored
        assert again.data["fields"].keys() == {"surprise"}
        assert read_state() == before

    @for_each("bodies_with_derived_fields")
    def test_derived_fields_are_ignored(self, garage: Garage, rule: Rule) -> None:
        _, ignored = self.fields_taken(rule)

        plain = self._effect(garage, rule, {})
        others = [
            self._effect(garage, rule, dict.fromkeys(ignored, value))
            for value in DERIVED
        ]

        assert plain[0] < 300
        assert others == [plain] * len(others)

    @for_each("deletes")
    def test_body_of_a_delete_is_ignored(self, garage: Garage, rule: Rule) -> None:
        plain = self._effect(garage, rule, {})
        full = self._effect(garage, rule, value_for_every_column())

        assert full == plain
        assert full[0] < 300

    @for_each("changes")
    def test_row_sent_back_as_read_is_unchanged(
        self, garage: Garage, rule: Rule
    ) -> None:
        path = garage.path(rule)
        client = garage.clients[self.strongest_caller(rule)]
        read = client.get(path).json()

        answer = getattr(client, rule.method.lower())(path, read)

        assert answer.status_code == 200
        assert _without_clock(answer.json()) == _without_clock(read)

    @for_each("changes")
    def test_read_only_fields_cannot_be_changed(
        self, garage: Garage, rule: Rule
    ) -> None:
        path = garage.path(rule)
        client = garage.clients[self.strongest_caller(rule)]
        before = client.get(path).json()
        taken, ignored = self.fields_taken(rule)
        read_only = before.keys() - taken - ignored

        refused = {
            (name, str(value)): self._names_refused(garage, rule, {name: value})
            for name in read_only
            for value in CHANGED
        }

        assert refused == {(name, value): {name} for name, value in refused}
        assert client.get(path).json() == before

    def _names_refused(
        self, garage: Garage, rule: Rule, body: dict[str, Any]
    ) -> set[str]:
        answer = garage.send(self.strongest_caller(rule), rule, body)
        return set(answer.data["fields"]) if answer.status_code == 400 else set()

    @for_each("operations_with_a_body")
    def test_unreadable_bodies_are_a_400(self, garage: Garage, rule: Rule) -> None:
        statuses = {
            name: self._send_raw(garage, rule, raw) for name, raw in UNREADABLE.items()
        }

        assert statuses == dict.fromkeys(UNREADABLE, 400)

    @for_each("bodies_to_write")
    def test_values_of_a_wrong_kind_are_refused(
        self, garage: Garage, rule: Rule
    ) -> None:
        names, _ = self.fields_taken(rule)
        caller = self.strongest_caller(rule)
        # A password or a token may be any text; then it is a wrong one.
        allowed = {400} if self.takes_keys else {204, 400, 401}

        statuses = {
            kind: garage.attempt(
                caller, rule, body=dict.fromkeys(names or {"surprise"}, value)
            )
            for kind, value in WRONG.items()
        }

        assert {kind: s for kind, s in statuses.items() if s not in allowed} == {}

    @for_each("operations_with_a_body")
    def test_body_over_the_limit_is_a_413(
        self, garage: Garage, rule: Rule, settings: LazySettings
    ) -> None:
        raw = b"{}".ljust(settings.MAX_BODY_BYTES + 1)

        assert self._send_raw(garage, rule, raw) == 413

    @for_each("operations_with_a_body")
    def test_body_of_another_media_type_is_a_415(
        self, garage: Garage, rule: Rule
    ) -> None:
        assert self._send_raw(garage, rule, b"a;b", "text/csv") == 415

    def _send_raw(
        self, garage: Garage, rule: Rule, raw: bytes, content_type: str = JSON
    ) -> int:
        status: int = garage.send(
            self.strongest_caller(rule), rule, raw, content_type=content_type
        ).status_code
        return status


def in_parts(values: dict[str, Any], size: int) -> list[dict[str, Any]]:
    items = list(values.items())
    return [dict(items[first : first + size]) for first in range(0, len(items), size)]


def _without_clock(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "updated_at"}

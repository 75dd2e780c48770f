"""What a body may hold, and that nothing else has an effect."""

from __future__ import annotations

import json
from typing import Any

from django.conf import LazySettings

from .access import Rule
from .database_state import difference, read_state, value_for_every_column
from .facts import ContractFacts, for_each
from .garage import Garage, undone

JSON = "application/json"

#: What no operation can read as one JSON object.
UNREADABLE = {
    "half a body": b'{"name": ',
    "an array": b"[]",
    "100,000 levels": b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "utf-16": '{"name": "x"}'.encode("utf-16"),
    "a surrogate in a key": b'{"\\udfff": 1}',
}
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
        details = {detail.path for detail in cls.details()}
        return [
            rule
            for rule in cls.operations()
            if rule.method in {"PUT", "PATCH"} and rule.path in details
        ]

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
        columns = {**value_for_every_column(), "surprise": 1, "ansi\u2028": None}
        unknown = {name: columns[name] for name in columns.keys() - taken}
        before = read_state()

        body = {**unknown, **garage.body(rule)}
        answer = garage.send(self.weakest_caller(rule), rule, body)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == unknown.keys() - ignored
        assert read_state() == before

    @for_each("bodies_with_derived_fields")
    def test_derived_fields_are_ignored(self, garage: Garage, rule: Rule) -> None:
        _, ignored = self.fields_taken(rule)
        columns = value_for_every_column()

        plain = self._effect(garage, rule, {})
        full = self._effect(
            garage, rule, {name: columns.get(name, 7) for name in ignored}
        )

        assert full == plain
        assert full[0] < 300

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
            name
            for name in read_only
            for value in (0, "2001-01-01T00:00:00Z")
            if getattr(client, rule.method.lower())(path, {name: value}).data.get(
                "fields", {}
            )
        }

        assert refused == read_only
        assert client.get(path).json() == before

    @for_each("bodies_to_write")
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

    @for_each("bodies_to_write")
    def test_body_over_the_limit_is_a_413(
        self, garage: Garage, rule: Rule, settings: LazySettings
    ) -> None:
        raw = b"{}".ljust(settings.MAX_BODY_BYTES + 1)

        assert self._send_raw(garage, rule, raw) == 413

    @for_each("bodies_to_write")
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


def _without_clock(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "updated_at"}

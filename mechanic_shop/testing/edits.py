"""ETags: what need not be sent again, and edits that overwrite nobody's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .access import MISSING, Rule
from .database_state import read_state
from .facts import ContractFacts, for_each
from .garage import Garage

STALE = '"0123456789abcdef0123456789abcdef"'


class EditContract(ContractFacts):
    @classmethod
    def edits(cls) -> list[Rule]:
        """Return the operations that are compared with what the caller has read."""
        return [
            rule
            for rule in cls.operations()
            if rule.method in {"PUT", "PATCH", "DELETE"} and cls.row_of(rule)
        ]

    @classmethod
    def edits_that_show_the_row(cls) -> list[Rule]:
        return [
            rule
            for rule in cls.edits()
            if rule.method != "DELETE" and cls.is_detail(rule)
        ]

    @classmethod
    def creates(cls) -> list[Rule]:
        paths = {detail.path.rpartition("/")[0] for detail in cls.details()}
        return [
            rule
            for rule in cls.operations()
            if rule.method == "POST" and rule.path in paths
        ]

    def _etag(self, garage: Garage, caller: str, rule: Rule) -> str:
        row = self.row_of(rule)
        assert row
        etag: str = garage.send(caller, row)["ETag"]
        return etag

    @for_each("details")
    def test_row_that_is_known_is_not_sent_again(
        self, garage: Garage, rule: Rule
    ) -> None:
        caller = self.strongest_caller(rule)
        etag = garage.send(caller, rule)["ETag"]

        known = garage.send(caller, rule, HTTP_IF_NONE_MATCH=etag)
        other = garage.send(caller, rule, HTTP_IF_NONE_MATCH=STALE)

        assert (known.status_code, known.content, known["ETag"]) == (304, b"", etag)
        assert "Content-Type" not in known
        assert (other.status_code, other["ETag"]) == (200, etag)

    @for_each("creates")
    def test_new_row_comes_with_its_etag(self, garage: Garage, rule: Rule) -> None:
        caller = self.strongest_caller(rule)

        created = garage.send(caller, rule)

        path = f"{garage.path(rule)}/{next(iter(created.json().values()))}"
        read = garage.clients[caller].get(path)
        assert (created.status_code, created["ETag"]) == (201, read["ETag"])
        assert created.json() == read.json()

    @for_each("edits_that_show_the_row")
    def test_etag_follows_a_change(self, garage: Garage, rule: Rule) -> None:
        caller = self.strongest_caller(rule)
        before = self._etag(garage, caller, rule)

        changed = garage.send(caller, rule)
        again = garage.send(caller, rule, HTTP_IF_MATCH=changed["ETag"])

        assert (changed.status_code, again.status_code) == (200, 200)
        assert before != changed["ETag"]
        assert again["ETag"] == self._etag(garage, caller, rule)

    @for_each("edits")
    def test_edit_of_what_was_read_passes(self, garage: Garage, rule: Rule) -> None:
        caller = self.strongest_caller(rule)

        answer = garage.send(
            caller, rule, HTTP_IF_MATCH=self._etag(garage, caller, rule)
        )

        assert answer.status_code == rule.statuses[caller]

    @for_each("edits")
    @pytest.mark.parametrize("seen", [STALE, "nonsense"])
    def test_edit_of_what_has_changed_is_a_412(
        self, garage: Garage, rule: Rule, seen: str
    ) -> None:
        before = read_state()

        answer = garage.send(self.strongest_caller(rule), rule, HTTP_IF_MATCH=seen)

        assert (answer.status_code, answer.data["code"]) == (412, "precondition_failed")
        assert set(answer.json()) == {"error", "message", "code", "request_id"}
        assert read_state() == before

    @for_each("edits")
    def test_second_edit_of_one_reading_is_a_412(
        self, garage: Garage, rule: Rule
    ) -> None:
        caller = self.strongest_caller(rule)
        row = self.row_of(rule)
        assert row
        read = garage.send(caller, row)
        [first, *_] = [
            edit
            for edit in self.edits_that_show_the_row()
            if replace(edit, method="GET").operation == row.operation
        ]
        garage.send(caller, replace(first, path=row.path))
        before = read_state()

        answer = garage.send(caller, rule, HTTP_IF_MATCH=read["ETag"])

        assert answer.status_code == 412
        assert read_state() == before

    @for_each("edits")
    @pytest.mark.parametrize("seen", ["*", STALE])
    def test_permission_is_asked_before_if_match(
        self, garage: Garage, rule: Rule, seen: str
    ) -> None:
        refused = {
            caller: status
            for caller, status in rule.statuses.items()
            if status in {401, 403} and not self.may_try(caller, rule.operation)
        }

        statuses = {
            caller: garage.attempt(caller, rule, HTTP_IF_MATCH=seen)
            for caller in refused
        }

        assert statuses == refused

    @for_each("edits")
    @pytest.mark.parametrize("seen", ["*", STALE])
    def test_if_match_of_a_missing_row_is_a_404(
        self, garage: Garage, rule: Rule, seen: str
    ) -> None:
        row = self.row_of(rule)
        assert row
        missing = {row.path_words[-1]: MISSING}

        answer = garage.send(
            self.strongest_caller(rule), rule, replaced=missing, HTTP_IF_MATCH=seen
        )

        assert answer.status_code == 404

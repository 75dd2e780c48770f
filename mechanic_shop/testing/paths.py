"""Every path answers with and without a slash, and some by another name."""

from __future__ import annotations

from typing import Any

from .access import Rule
from .facts import ContractFacts, for_each
from .garage import Garage, undone


class PathContract(ContractFacts):
    def _spellings(self, path: str) -> list[str]:
        paths = [path, f"{path}/"]
        if self.alias:
            paths += [spelling.replace(*self.alias) for spelling in paths]
        return paths

    def _answers(
        self, garage: Garage, caller: str, rule: Rule
    ) -> dict[str, tuple[int, Any]]:
        answers = {}
        for path in self._spellings(garage.path(rule)):
            with undone():
                answers[path] = said(garage.send(caller, rule, path=path))
        return answers

    @for_each("operations")
    def test_every_spelling_of_the_path_answers_alike(
        self, garage: Garage, rule: Rule
    ) -> None:
        caller = self.strongest_caller(rule)

        first, *others = self._answers(garage, caller, rule).values()

        assert first[0] == rule.statuses[caller]
        assert [shape_of(other) for other in others] == [shape_of(first)] * len(others)

    @for_each("operations")
    def test_every_spelling_is_closed_to_strangers(
        self, garage: Garage, rule: Rule
    ) -> None:
        first, *others = self._answers(garage, "anonymous", rule).values()

        assert first[0] == rule.statuses["anonymous"]
        assert [shape_of(other) for other in others] == [shape_of(first)] * len(others)


def said(response: Any) -> tuple[int, Any]:
    """Return status and body, without what differs between any two requests."""
    body = response.json() if response.content else None
    if isinstance(body, dict):
        body.pop("request_id", None)
    return response.status_code, body


def shape_of(answer: tuple[int, Any]) -> tuple[int, Any]:
    """Leave out the ids, times and tokens of what was made by the request."""
    status, body = answer
    return status, sorted(body) if isinstance(body, dict) else body

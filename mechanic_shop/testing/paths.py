"""Every path answers with and without a slash, and some by another name."""

from __future__ import annotations

import json
import re
from typing import Any

from .access import MISSING, Rule
from .facts import ContractFacts, for_each
from .garage import Garage, undone

TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


class PathContract(ContractFacts):
    def _answers(
        self, garage: Garage, caller: str, rule: Rule, **how: Any
    ) -> list[tuple[int, Any]]:
        """Ask by every spelling of the path; undo what each of them did."""
        answers = []
        for path in self.spellings(garage.path(rule, **how.get("replaced", {}))):
            with undone():
                answers.append(said(garage.send(caller, rule, path=path, **how)))
        return answers

    @for_each("operations")
    def test_every_spelling_of_the_path_answers_alike(
        self, garage: Garage, rule: Rule
    ) -> None:
        for caller in (self.strongest_caller(rule), "other", "anonymous"):
            first, *others = self._answers(garage, caller, rule)

            assert first[0] == rule.statuses[caller]
            assert others == [first] * len(others)

    @for_each("operations")
    def test_every_spelling_fails_alike(self, garage: Garage, rule: Rule) -> None:
        missing = dict.fromkeys(rule.path_words, MISSING)
        for caller in ("superuser", "anonymous"):
            first, *others = self._answers(
                garage, caller, rule, body={"surprise": 1}, replaced=missing
            )

            assert first[0] in {400, 401, 404} or not (missing or rule.is_write)
            assert "nothing at this address" not in str(first[1])
            assert others == [first] * len(others)


def said(response: Any) -> tuple[int, Any]:
    """Return status and body, without what differs between any two requests."""
    text = TIME.sub("now", response.content.decode())
    body = json.loads(text) if text else {}
    if response.status_code == 201 or "access_token" in body:
        return response.status_code, sorted(body)  # its ids and tokens are new
    if isinstance(body, dict):
        body.pop("request_id", None)
    return response.status_code, body

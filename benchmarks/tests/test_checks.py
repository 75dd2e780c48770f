"""A peer that answers something else is found, and told where."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.checks import difference, outline

TICKET: dict[str, Any] = {
    "ticket_id": 7,
    "closed_at": None,
    "ticket_parts": [{"part_id": 1, "markup_percentage": 30.0}],
}


class TestDifference:
    def test_is_none_between_equal_answers(self) -> None:
        assert difference(TICKET, {**TICKET}) is None

    def test_sees_no_difference_between_30_and_30_0(self) -> None:
        assert difference({"price": 30}, {"price": 30.0}) is None

    @pytest.mark.parametrize(
        ("given", "complaint"),
        [
            ({**TICKET, "ticket_id": 8}, "answer.ticket_id is 8 instead of 7"),
            ({**TICKET, "ticket_id": "7"}, "answer.ticket_id is '7' instead of 7"),
            ({**TICKET, "extra": 1}, "answer differs in having extra"),
            (
                {**TICKET, "ticket_parts": []},
                "answer.ticket_parts has 0 rows instead of 1",
            ),
            (
                {**TICKET, "ticket_parts": [{"part_id": 2, "markup_percentage": 30}]},
                "answer.ticket_parts[0].part_id is 2 instead of 1",
            ),
        ],
    )
    def test_names_the_place(self, given: Any, complaint: str) -> None:
        assert difference(TICKET, given) == complaint

    def test_tells_a_truth_value_from_a_number(self) -> None:
        assert difference({"is_active": True}, {"is_active": 1}) is not None


class TestOutline:
    def test_keeps_names_and_forgets_values(self) -> None:
        assert outline({"ticket": {"ticket_id": 1}, "added": [1, 2]}) == {
            "ticket": {"ticket_id": None},
            "added": None,
        }

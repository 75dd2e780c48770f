"""The guard tells more queries and a lost third of speed, and nothing less."""

from __future__ import annotations

from benchmarks.smoke import Standing, complaints, read_baseline
from benchmarks.workloads import WORKLOADS


def standing(queries: int = 5, ratio: float = 1.5) -> dict[str, Standing]:
    return {"tickets": {"queries": queries, "ratio": ratio}}


class TestComplaints:
    def test_are_none_where_nothing_changed(self) -> None:
        assert complaints(standing(), standing()) == []

    def test_tell_one_query_more(self) -> None:
        [complaint] = complaints(standing(), standing(queries=6))

        assert str(complaint) == "tickets: 6 queries a request, 5 before"

    def test_tell_a_ratio_that_fell_by_more_than_a_third(self) -> None:
        [complaint] = complaints(standing(), standing(ratio=0.99))

        assert complaint.workload == "tickets"
        assert "0.99 × as fast as plain DRF, 1.50 × before" in complaint.text

    def test_allow_a_third_for_the_machine(self) -> None:
        assert complaints(standing(), standing(ratio=1.01)) == []

    def test_welcome_what_became_better(self) -> None:
        assert complaints(standing(), standing(queries=1, ratio=9)) == []

    def test_wait_for_a_baseline_of_new_workloads(self) -> None:
        assert complaints({}, standing()) == []


class TestBaseline:
    def test_knows_every_workload(self) -> None:
        assert read_baseline().keys() == WORKLOADS.keys()

"""Ratios are the product's over the peer's, by round, and goals are judged by them."""

from __future__ import annotations

import pytest

from benchmarks.measure import Measured
from benchmarks.summary import (
    judge_growth,
    judge_login,
    judge_memory,
    judge_ratios,
    medians,
    rate_ratio,
    ratios_of,
    time_ratio,
)
from benchmarks.wrk import Load


def loads(*rates: float) -> list[Load]:
    """Make rounds in which half of the requests took as long as the rate says."""
    return [Load(100, rate, 1_000 / rate, 20.0, 30.0) for rate in rates]


class TestRateRatio:
    def test_is_above_one_where_the_product_is_faster(self) -> None:
        assert rate_ratio(loads(300), loads(100)) == 3

    def test_compares_what_was_measured_side_by_side(self) -> None:
        # The machine was slow in the second round, for both of them.
        assert rate_ratio(loads(200, 20, 200), loads(100, 10, 100)) == 2

    def test_is_not_moved_by_one_odd_round(self) -> None:
        assert rate_ratio(loads(200, 200, 900), loads(100, 100, 100)) == 2

    def test_refuses_rounds_without_a_twin(self) -> None:
        with pytest.raises(ValueError, match="shorter"):
            rate_ratio(loads(1, 2), loads(1))


class TestTimeRatio:
    def test_is_above_one_where_it_takes_longer(self) -> None:
        assert time_ratio(loads(50, 50), loads(100, 100)) == 2


class TestMedians:
    def test_take_each_figure_for_itself(self) -> None:
        seen = [Load(1, 10, 1, 9, 20), Load(1, 30, 2, 7, 30), Load(1, 20, 3, 8, 10)]

        assert medians(seen) == {"rate": 20, "p50": 2, "p95": 8, "p99": 20}


class TestRatiosOf:
    def test_compares_the_product_with_everybody_else(self) -> None:
        seen = {
            "part": {
                "product": Measured(loads(100)),
                "drf": Measured(loads(50)),
                "limit": Measured(loads(200)),
            }
        }

        assert ratios_of(seen) == {"part": {"drf": 2, "limit": 0.5}}


class TestJudgeRatios:
    def test_passes_what_is_just_enough(self) -> None:
        [verdict] = judge_ratios({"customers": {"drf": 2.0}})

        assert verdict.is_met
        assert str(verdict) == (
            "pass  at least 2 × plain DRF, on lists: at the least customers 2.00 ×"
        )

    def test_names_every_workload_that_falls_short(self) -> None:
        ratios = {name: {"fastapi": 0.8} for name in ("edit", "part")}

        [verdict] = judge_ratios({**ratios, "me": {"fastapi": 1.5}})

        assert not verdict.is_met
        assert verdict.seen == "edit 0.80 ×, part 0.80 ×"

    def test_asks_for_more_where_flask_loads_row_by_row(self) -> None:
        every_read, row_by_row = judge_ratios({"tickets": {"flask": 5.0}})

        assert (every_read.is_met, row_by_row.is_met) == (True, False)

    def test_holds_no_write_against_a_goal_for_reads(self) -> None:
        assert judge_ratios({"edit": {"flask": 0.1, "drf": 0.1, "limit": 0.1}}) == []

    def test_holds_no_whole_list_against_the_limit(self) -> None:
        assert judge_ratios({"mechanics": {"limit": 0.1}}) == []


class TestJudgeLogin:
    @pytest.mark.parametrize(("ratio", "is_met"), [(1.2, True), (1.21, False)])
    def test_allows_a_fifth_more_than_the_hash(
        self, ratio: float, is_met: bool
    ) -> None:
        assert judge_login(ratio).is_met is is_met


class TestJudgeGrowth:
    def test_allows_more_for_a_larger_shop(self) -> None:
        grown = {"tickets": 1.4, "part": 1.0}

        ten, fifty = judge_growth({10.0: grown, 50.0: grown})

        assert (ten.is_met, fifty.is_met) == (False, True)
        assert ten.seen == fifty.seen == "tickets 1.40 ×"


class TestJudgeMemory:
    def test_counts_growth_from_the_first_minute_on(self) -> None:
        warming_up = [60.0, 70, 80, 90, 95, 99]

        size, growth = judge_memory([*warming_up, *[100.0] * 24], 10)

        assert (size.is_met, growth.is_met) == (True, True)

    def test_finds_a_worker_that_never_stops_growing(self) -> None:
        size, growth = judge_memory([80.0 + step for step in range(30)], 10)

        assert (size.is_met, growth.is_met) == (True, False)

    def test_finds_a_worker_that_was_too_large_once(self) -> None:
        size, _ = judge_memory([100.0] * 10 + [121.0] + [100.0] * 19, 10)

        assert not size.is_met

"""From what was seen to what it means: medians, ratios, and whether a goal is met."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .measure import Measured
from .workloads import WORKLOADS, Workload
from .wrk import Load

PRODUCT = "product"
LOGIN_LIMIT = 1.2
#: How much longer a read may take in a shop that is so many times as large.
GROWTH_LIMITS = {10.0: 1.2, 50.0: 1.5}
MEMORY_LIMIT_MB = 120.0
#: A worker's memory is never quite still.
MEMORY_GROWTH_LIMIT = 1.02

#: Ratios by workload and peer.
Ratios = Mapping[str, Mapping[str, float]]


def rate_ratio(product: Sequence[Load], peer: Sequence[Load]) -> float:
    """Tell how many times as fast the product is.

    Round by round, then the median: what disturbs a round disturbs both.
    """
    return median(
        one.rate / other.rate for one, other in zip(product, peer, strict=True)
    )


def time_ratio(larger: Sequence[Load], smaller: Sequence[Load]) -> float:
    """Tell how many times as long half of the requests take."""
    return median(
        one.p50 / other.p50 for one, other in zip(larger, smaller, strict=True)
    )


def medians(loads: Sequence[Load]) -> dict[str, float]:
    names = ("rate", "p50", "p95", "p99")
    return {name: median(getattr(load, name) for load in loads) for name in names}


def ratios_of(
    seen: Mapping[str, Mapping[str, Measured]],
) -> dict[str, dict[str, float]]:
    """Compare the product with each peer, workload by workload."""
    return {
        workload: {
            peer: rate_ratio(by_peer[PRODUCT].loads, measured.loads)
            for peer, measured in by_peer.items()
            if peer != PRODUCT
        }
        for workload, by_peer in seen.items()
    }


# --- Goals ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Goal:
    """At least so many times as fast as a peer, on some workloads."""

    peer: str
    at_least: float
    title: str
    applies: Callable[[Workload], bool]


GOALS = (
    Goal("flask", 2, "Flask, on every read", lambda workload: workload.reads),
    Goal(
        *("flask", 10, "Flask, on by-activity, tickets and low stock"),
        lambda workload: workload.name in {"by_activity", "tickets", "low_stock"},
    ),
    Goal(
        *("flask_no_user", 1, "Flask without the user, on the warm mechanics"),
        lambda workload: workload.name == "mechanics",
    ),
    Goal("fastapi", 1, "FastAPI, on everything", lambda workload: True),
    Goal("drf", 2, "plain DRF, on lists", lambda workload: workload.is_list),
    Goal(
        *("limit", 0.5, "the limit, on rows and pages"),
        lambda workload: workload.reads and workload.is_page_or_row,
    ),
)


@dataclass(frozen=True)
class Verdict:
    goal: str
    is_met: bool
    seen: str

    def __str__(self) -> str:
        return f"{'pass' if self.is_met else 'FAIL'}  {self.goal}: {self.seen}"


def judge_ratios(ratios: Ratios) -> list[Verdict]:
    """Judge the goals of which something was measured."""
    verdicts = []
    for goal in GOALS:
        seen = {
            workload: by_peer[goal.peer]
            for workload, by_peer in ratios.items()
            if goal.peer in by_peer and goal.applies(WORKLOADS[workload])
        }
        if seen:
            verdicts.append(_judge(goal, seen))
    return verdicts


def _judge(goal: Goal, seen: Mapping[str, float]) -> Verdict:
    short = {name: ratio for name, ratio in seen.items() if ratio < goal.at_least}
    said = short or dict([min(seen.items(), key=lambda item: item[1])])
    return Verdict(
        f"at least {goal.at_least:g} × {goal.title}",
        not short,
        _listed(said) if short else f"at the least {_listed(said)}",
    )


def _listed(ratios: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {ratio:.2f} ×" for name, ratio in sorted(ratios.items()))


def judge_login(ratio: float) -> Verdict:
    goal = f"a login within {LOGIN_LIMIT:g} × of one bare Argon2 verification"
    return Verdict(goal, ratio <= LOGIN_LIMIT, f"{ratio:.2f} ×")


def judge_growth(growth: Mapping[float, Mapping[str, float]]) -> list[Verdict]:
    """``growth`` maps scales to workloads to how many times as long p50 is there."""
    verdicts = []
    for scale, by_workload in growth.items():
        limit = GROWTH_LIMITS.get(scale, max(GROWTH_LIMITS.values()))
        long = {name: ratio for name, ratio in by_workload.items() if ratio > limit}
        worst = dict([max(by_workload.items(), key=lambda item: item[1])])
        goal = f"every read at scale {scale:g} within {limit:g} × of scale 1"
        verdicts.append(Verdict(goal, not long, _listed(long or worst)))
    return verdicts


def judge_memory(samples: Sequence[float], seconds_between: float) -> list[Verdict]:
    """Judge the memory of the largest worker, looked at all along a mixed load."""
    minute = min(round(60 / seconds_between), len(samples) - 1)
    after_a_minute = median(samples[minute : minute + 3])
    grown = median(samples[-3:]) / after_a_minute
    peak = max(samples)
    return [
        Verdict(
            f"under {MEMORY_LIMIT_MB:g} MB for each worker",
            peak < MEMORY_LIMIT_MB,
            f"{peak:.0f} MB",
        ),
        Verdict(
            "no growth after the first minute",
            grown <= MEMORY_GROWTH_LIMIT,
            f"{grown:.3f} ×",
        ),
    ]

"""The guard: against plain DRF, in a small shop, nothing may have become much worse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypedDict

BASELINE = Path(__file__).with_name("baseline.json")
SCALE = 0.1
#: What is left of a ratio that fell by a third.
KEPT = 2 / 3


class Standing(TypedDict):
    """How a workload stands: statements a request, and times as fast as plain DRF."""

    queries: int
    ratio: float


class Complaint(NamedTuple):
    workload: str
    text: str

    def __str__(self) -> str:
        return f"{self.workload}: {self.text}"


def complaints(
    before: Mapping[str, Standing], now: Mapping[str, Standing]
) -> list[Complaint]:
    """Tell what became worse; a workload without a baseline cannot."""
    found = []
    for name, standing in now.items():
        if name not in before:
            continue
        known = before[name]
        if asks_more(known, standing):
            text = f"{standing['queries']} queries a request, {known['queries']} before"
            found.append(Complaint(name, text))
        if is_slower(known, standing):
            text = (
                f"{standing['ratio']:.2f} × as fast as plain DRF,"
                f" {known['ratio']:.2f} × before"
            )
            found.append(Complaint(name, text))
    return found


def asks_more(known: Standing, standing: Standing) -> bool:
    return standing["queries"] > known["queries"]


def is_slower(known: Standing, standing: Standing) -> bool:
    return standing["ratio"] < known["ratio"] * KEPT


def read_baseline() -> dict[str, Standing]:
    baseline: dict[str, Standing] = json.loads(BASELINE.read_text())
    return baseline


def write_baseline(standings: Mapping[str, Standing]) -> None:
    rounded = {
        name: {"queries": standing["queries"], "ratio": round(standing["ratio"], 2)}
        for name, standing in standings.items()
    }
    BASELINE.write_text(json.dumps(rounded, indent=2) + "\n")

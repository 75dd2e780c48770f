"""What a run found, as a table, as JSON, and as a picture."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .environment import ROOT, THREADS, WORKERS
from .measure import Measured
from .servers import PEERS
from .summary import PRODUCT, Verdict, medians, ratios_of
from .workloads import WORKLOADS

RESULTS = ROOT / "test-artifacts" / "benchmark"
DOCUMENT = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "images" / "performance.svg"
START, END = "<!-- results:start -->", "<!-- results:end -->"

#: Colours that are told apart with any eyes, on white and on dark pages.
COLORS = ("#0072b2", "#56b4e9", "#009e73", "#e69f00", "#cc79a7")
ROW, BAR, LEFT, WIDTH, TOP = 78, 12, 190, 620, 64


@dataclass
class Findings:
    scale: float
    rounds: int
    seconds: int
    connections: int
    seen: dict[str, dict[str, Measured]] = field(default_factory=dict)
    #: Times as long as at the run's own scale, by scale and workload.
    growth: dict[float, dict[str, float]] = field(default_factory=dict)
    #: Peak memory of each peer's largest worker, in MB.
    memory: dict[str, float] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def ratios(self) -> dict[str, dict[str, float]]:
        return ratios_of(self.seen)

    @property
    def peers(self) -> list[str]:
        """Return who was measured beside the product."""
        measured = {peer for by_peer in self.seen.values() for peer in by_peer}
        return [name for name in PEERS if name in measured and name != PRODUCT]


# --- JSON -----------------------------------------------------------------------------


def as_json(findings: Findings) -> dict[str, Any]:
    return {
        "scale": findings.scale,
        "rounds": findings.rounds,
        "seconds": findings.seconds,
        "connections": findings.connections,
        "workers": WORKERS,
        "threads": THREADS,
        "workloads": {
            workload: {
                peer: {**medians(measured.loads), "queries": measured.queries}
                for peer, measured in by_peer.items()
            }
            for workload, by_peer in findings.seen.items()
        },
        "ratios": findings.ratios,
        "growth": {f"{scale:g}": grown for scale, grown in findings.growth.items()},
        "peak_memory_mb": findings.memory,
        "verdicts": [vars(verdict) for verdict in findings.verdicts],
    }


# --- Tables ---------------------------------------------------------------------------


def tables(findings: Findings) -> str:
    """Write ratios only: times belong to a machine."""
    parts = [ratio_table(findings), query_table(findings)]
    if findings.growth:
        parts.append(growth_table(findings.growth))
    if findings.memory:
        parts.append(memory_table(findings.memory))
    parts.append("\n".join(f"- {verdict}" for verdict in findings.verdicts))
    return "\n\n".join(part for part in parts if part)


def ratio_table(findings: Findings) -> str:
    rows = [
        [WORKLOADS[workload].title, *_cells(by_peer, findings.peers, "{:.2f} ×")]
        for workload, by_peer in findings.ratios.items()
    ]
    titles = [PEERS[peer].title for peer in findings.peers]
    return table(["Times as fast as …", *titles], rows)


def query_table(findings: Findings) -> str:
    peers = [PRODUCT, *findings.peers]
    rows = []
    for workload, by_peer in findings.seen.items():
        queries = {peer: float(measured.queries) for peer, measured in by_peer.items()}
        rows.append([WORKLOADS[workload].title, *_cells(queries, peers, "{:g}")])
    return table(["Queries per request", *(PEERS[peer].title for peer in peers)], rows)


def growth_table(growth: Mapping[float, Mapping[str, float]]) -> str:
    scales = sorted(growth)
    names = list(growth[scales[0]])
    rows = [
        [WORKLOADS[name].title, *(f"{growth[scale][name]:.2f} ×" for scale in scales)]
        for name in names
    ]
    return table(["Times as long at …", *(f"scale {s:g}" for s in scales)], rows)


def memory_table(memory: Mapping[str, float]) -> str:
    least = memory.get(PRODUCT) or min(memory.values())
    rows = [
        [PEERS[peer].title, f"{size / least:.2f} ×"] for peer, size in memory.items()
    ]
    return table(["Peak memory of a worker", "of the product's"], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(values: Mapping[str, float], names: Sequence[str], form: str) -> list[str]:
    return [form.format(values[name]) if name in values else "" for name in names]


# --- The picture ----------------------------------------------------------------------


def picture(ratios: Mapping[str, Mapping[str, float]], peers: Sequence[str]) -> str:
    """Draw how many times as fast the product is; to the right of 1 is faster."""
    values = [ratio for by_peer in ratios.values() for ratio in by_peer.values()]
    low = min(-1, math.floor(math.log2(min(values, default=1))))
    high = max(1, math.ceil(math.log2(max(values, default=1))))

    def x(ratio: float) -> float:
        return LEFT + (math.log2(ratio) - low) / (high - low) * WIDTH

    height = TOP + ROW * len(ratios) + 20
    shapes = [*_legend(peers), *_grid(low, high, x, height)]
    for number, (workload, by_peer) in enumerate(ratios.items()):
        top = TOP + 10 + number * ROW
        title = WORKLOADS[workload].title
        shapes.append(
            f'<text x="{LEFT - 10}" y="{top + ROW / 2 - 6:.0f}"'
            f' text-anchor="end">{title}</text>'
        )
        for place, peer in enumerate(peers):
            if peer in by_peer:
                shapes += _bar(x, by_peer[peer], top + place * BAR, COLORS[place])
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 60}'
        f' {height}" font-family="sans-serif" font-size="12" role="img">\n'
        "<title>How many times as fast as each peer the product answers</title>\n"
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def _legend(peers: Sequence[str]) -> list[str]:
    shapes = []
    for place, peer in enumerate(peers):
        left = LEFT + place * 125
        color = COLORS[place]
        shapes += [
            f'<rect x="{left}" y="14" width="12" height="12" fill="{color}"/>',
            f'<text x="{left + 18}" y="24">{PEERS[peer].title}</text>',
        ]
    return shapes


def _grid(low: int, high: int, x: Any, height: int) -> list[str]:
    shapes = []
    for power in range(low, high + 1):
        at, color = x(2**power), "#333" if power == 0 else "#ddd"
        shapes += [
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{height - 10}"'
            f' stroke="{color}"/>',
            f'<text x="{at:.1f}" y="{TOP - 8}" text-anchor="middle">'
            f"{2.0**power:g} ×</text>",
        ]
    return shapes


def _bar(x: Any, ratio: float, top: float, color: str) -> list[str]:
    start, end = sorted((x(1), x(ratio)))
    return [
        f'<rect x="{start:.1f}" y="{top}" width="{max(end - start, 1):.1f}"'
        f' height="{BAR - 2}" fill="{color}"/>',
        f'<text x="{end + 4:.1f}" y="{top + BAR - 3}" font-size="10">'
        f"{ratio:.2f}</text>",
    ]


# --- Writing --------------------------------------------------------------------------


def write(findings: Findings, folder: Path = RESULTS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps(as_json(findings), indent=2)
    (folder / "benchmark.json").write_text(content + "\n")
    (folder / "benchmark.md").write_text(tables(findings) + "\n")
    (folder / "performance.svg").write_text(picture(findings.ratios, findings.peers))


def publish(findings: Findings) -> None:
    """Put the ratios into the documentation."""
    PICTURE.write_text(picture(findings.ratios, findings.peers))
    before, _, rest = DOCUMENT.read_text().partition(START)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{START}\n{tables(findings)}\n{END}{after}")

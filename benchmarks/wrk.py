"""Load from a process of its own: wrk, told by a file what to send."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .workloads import Call

SCRIPT = Path(__file__).with_name("wrk.lua")
MARK = "RESULT "
#: By then even the slowest answer is there, or something is broken.
TIMEOUT_SECONDS = 60


class LoadFailed(RuntimeError):
    """Answers were missing, or other than asked for: the run would measure errors."""


class NothingYet(LoadFailed):
    """Not one answer came in time."""


@dataclass(frozen=True)
class Load:
    """What came of some seconds of load; times in milliseconds."""

    requests: int
    rate: float
    p50: float
    p95: float
    p99: float


def load(
    url: str, calls: Iterable[Call], *, token: str, connections: int, seconds: int
) -> Load:
    """Send calls one after the other, and again from the first, for some seconds.

    :raises NothingYet: if the server is too slow to answer any
    :raises LoadFailed: if any request was not answered with success
    """
    with tempfile.NamedTemporaryFile("w", suffix=".requests") as file:
        for call in calls:
            file.write(f"{call.method}\n{call.path}\n{call.body}\n")
        file.flush()
        command = [
            *("wrk", "--threads", "1", "--connections", str(connections)),
            *("--duration", f"{seconds}s", "--timeout", f"{TIMEOUT_SECONDS}s"),
            *("--script", str(SCRIPT), url, "--", file.name, token),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LoadFailed(f"wrk ended with {done.returncode}: {done.stderr}")
    return read(done.stdout)


def read(output: str) -> Load:
    """Read the line that ``wrk.lua`` writes.

    :raises NothingYet: if it tells of nothing at all
    :raises LoadFailed: if it is not there, or tells of failures
    """
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    if not lines:
        raise LoadFailed(f"wrk told no result:\n{output}")
    result = json.loads(lines[-1].removeprefix(MARK))
    if not any(result[what] for what in ("requests", "refused", "broken")):
        raise NothingYet("No answer came in time.")
    if result["refused"] or result["broken"]:
        raise LoadFailed(
            f"{result['refused']} of {result['requests']} answers were refusals,"
            f" {result['broken']} connections or requests broke."
        )
    return Load(
        requests=result["requests"],
        rate=result["requests"] / (result["microseconds"] / 1_000_000),
        p50=result["p50"] / 1_000,
        p95=result["p95"] / 1_000,
        p99=result["p99"] / 1_000,
    )

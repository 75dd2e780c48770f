"""Minutes of everything at once, to see a worker's memory; and what a hash costs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import islice

from .measure import FASTEST, Target
from .servers import memory_of
from .workloads import WORKLOADS, Call
from .wrk import load

STEP_SECONDS = 10
#: How often each workload comes in turn; reads are what a shop does most.
SHARES = {
    name: 3 if workload.reads else 1
    for name, workload in WORKLOADS.items()
    if name != "by_activity"
} | {"by_activity": 1}

BARE_VERIFICATIONS = """
import json, sys, time
from argon2 import PasswordHasher
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
stored = hasher.hash("correct-horse-battery")
times = []
for _ in range(int(sys.argv[1])):
    start = time.perf_counter()
    hasher.verify(stored, "correct-horse-battery")
    times.append((time.perf_counter() - start) * 1000)
print(json.dumps(sorted(times)[len(times) // 2]))
"""


def watch_memory(
    target: Target, *, seconds: int, connections: int, show: Callable[[str], None]
) -> list[float]:
    """Return the memory of the largest worker after each step, in MB."""
    samples = []
    for step in range(max(seconds // STEP_SECONDS, 1)):
        show(f"mixed load: {step * STEP_SECONDS} of {seconds} s")
        load(
            target.server.url,
            mixed_calls(target, FASTEST * STEP_SECONDS),
            token=target.token,
            connections=connections,
            seconds=STEP_SECONDS,
        )
        samples.append(max(memory_of(pid) for pid in target.server.workers()))
    return samples


def mixed_calls(target: Target, many: int) -> list[Call]:
    turn = sum(SHARES.values())
    streams = {}
    for name, share in SHARES.items():
        workload = WORKLOADS[name]
        needed = (many // turn + 1) * share
        calls = target.calls(workload, needed)
        repeated = calls * (needed // len(calls) + 1)
        streams[name] = iter(repeated)
        target.spend(workload, needed)
    mixed: list[Call] = []
    while len(mixed) < many:
        for name, share in SHARES.items():
            mixed += islice(streams[name], share)
    return mixed[:many]


def bare_verification(times: int = 20) -> float:
    """Return how long one Argon2 verification takes in a process of its own, in ms."""
    command = [sys.executable, "-c", BARE_VERIFICATIONS, str(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout))


def login_cost(target: Target, *, rounds: int, seconds: int) -> list[float]:
    """Compare, round by round, a login with the bare hash that it has to take."""
    workload = WORKLOADS["login"]
    return [
        target.load(workload, connections=1, seconds=seconds).p50 / bare_verification()
        for _ in range(rounds)
    ]

"""Rounds in turn, so that whatever else the machine does hits everyone alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice

from .client import client_of
from .database import connected
from .servers import Server, memory_of
from .workloads import Call, Place, Workload
from .wrk import Load, NothingYet, load

#: More than anything answers here in a second; where no two requests may be the same,
#: so many are written down for each second of a round.
FASTEST = 3_000
WARM_UP_SECONDS = 1
LONGEST_ROUND_SECONDS = 40
LOOKS = 30
SECONDS_TO_LOOK = 4.0


@dataclass
class Measured:
    """What was seen of one server under one workload."""

    loads: list[Load] = field(default_factory=list)
    queries: int = 0


@dataclass
class Target:
    """A server, the token that opens it, and where each workload's requests stand."""

    server: Server
    token: str
    place: Place
    used: dict[str, int] = field(default_factory=dict)
    #: The seconds without which a slow server answers nothing.
    patience: dict[str, int] = field(default_factory=dict)

    def calls(self, workload: Workload, many: int) -> list[Call]:
        """Write down the next requests; a write never repeats an earlier one."""
        if workload.variety:
            numbers: Iterator[int] = iter(range(workload.variety))
        else:
            numbers = islice(count(self.used.get(workload.name, 0)), many)
        shop = self.server.shop
        return [workload.make(shop, self.place, number) for number in numbers]

    def spend(self, workload: Workload, many: int) -> None:
        self.used[workload.name] = self.used.get(workload.name, 0) + many

    def load(self, workload: Workload, *, connections: int, seconds: int) -> Load:
        """Load for some seconds, or for as many as the server needs to answer at all.

        :raises LoadFailed: if any request was not answered with success
        """
        seconds = max(seconds, self.patience.get(workload.name, 0))
        try:
            return self._load(workload, workload.connections or connections, seconds)
        except NothingYet:
            if seconds > LONGEST_ROUND_SECONDS:
                raise
        self.patience[workload.name] = seconds * 2
        return self.load(workload, connections=connections, seconds=seconds)

    def _load(self, workload: Workload, connections: int, seconds: int) -> Load:
        calls = self.calls(workload, FASTEST * seconds)
        answered = 0
        try:
            seen = load(
                self.server.url,
                calls,
                token=self.token,
                connections=connections,
                seconds=seconds,
            )
            answered = seen.requests
        finally:
            # Beside the answered ones, each connection may have had one under way.
            self.spend(workload, answered + connections)
        return seen

    def queries(self, workload: Workload) -> int:
        """Count the statements that one request sends to the database.

        The server counts for all its clients. Others can only add to it, so the least
        of some looks is the one in which nobody did.
        """
        seen = []
        calls = (self.calls(workload, LOOKS) * LOOKS)[:LOOKS]
        self.spend(workload, LOOKS)
        end = time.monotonic() + SECONDS_TO_LOOK
        with (
            connected() as database,
            client_of(self.server.port, self.token) as client,
        ):
            for call in calls:
                before = database.statements()
                client.send(call)
                seen.append(database.statements() - before - 1)
                if time.monotonic() > end:
                    break
        return min(seen)

    def peak_memory(self) -> float:
        """Return the most that any of the workers ever had, in MB."""
        return max(memory_of(pid, "VmHWM") for pid in self.server.workers())


def measure(
    targets: Sequence[Target],
    workload: Workload,
    *,
    rounds: int,
    seconds: int,
    connections: int,
    show: Callable[[str], None] = lambda text: None,
    warm_up: int = WARM_UP_SECONDS,
) -> dict[str, Measured]:
    """Load the targets with a workload: each once to warm up, then in turn."""
    seen = {str(target.server): Measured() for target in targets}
    for target in targets:
        show(f"{workload.title}: warming up {target.server}")
        if warm_up:
            target.load(workload, connections=connections, seconds=warm_up)
        seen[str(target.server)].queries = target.queries(workload)
    for number in range(1, rounds + 1):
        for target in targets:
            show(f"{workload.title}: round {number} of {rounds}, {target.server}")
            measured = target.load(workload, connections=connections, seconds=seconds)
            seen[str(target.server)].loads.append(measured)
    return seen

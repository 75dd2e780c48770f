"""Measure the shop beside its peers: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

import redis

from . import data, smoke
from .checks import Different, check
from .client import sign_in
from .dataset_size import Shop
from .environment import REDIS
from .measure import Measured, Target, measure
from .mixed import STEP_SECONDS, login_cost, watch_memory
from .report import Findings, publish, tables, write
from .servers import DRF, PEERS, PRODUCT, Peer, running
from .smoke import Standing
from .summary import (
    judge_growth,
    judge_login,
    judge_memory,
    judge_ratios,
    rate_ratio,
    time_ratio,
)
from .workloads import WORKLOADS, Place, Workload
from .wrk import LoadFailed

LOGIN_ROUND_SECONDS = 3
SMOKE_ROUNDS = 2
#: What others are held against is looked at for longer.
BASELINE_ROUNDS = 6
#: So often a workload that looks worse is measured again.
SMOKE_TRIES = 3


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# --- What a run needs -----------------------------------------------------------------


@contextmanager
def targets_of(served: Sequence[tuple[Peer, Shop]]) -> Iterator[list[Target]]:
    """Prepare the shops, start the servers, sign in, and undo all writes at the end.

    Tokens are the product's, so it has to be the first to serve each shop.
    """
    forget_cached()
    shops = {shop: None for _, shop in served}
    for shop in shops:
        data.prepare(shop)
    try:
        with running(served) as servers:
            tokens: dict[Shop, str] = {}
            for server in servers:
                if server.shop not in tokens:
                    tokens[server.shop] = sign_in(server.port)
            yield [
                Target(server, tokens[server.shop], Place(number, len(servers)))
                for number, server in enumerate(servers)
            ]
    finally:
        for shop in shops:
            data.restore(shop)


def forget_cached() -> None:
    """Forget what the peers cached of a shop that may have been filled anew since."""
    with redis.Redis.from_url(REDIS) as client:
        for prefix in ("flask", "fastapi", "limit"):
            for key in client.scan_iter(f"{prefix}:*"):
                client.delete(key)


def by_peer(
    seen: dict[str, Measured], targets: Sequence[Target]
) -> dict[str, Measured]:
    return {target.server.peer.name: seen[str(target.server)] for target in targets}


# --- The parts of a run ---------------------------------------------------------------


def compare(options: argparse.Namespace, workloads: Sequence[Workload]) -> Findings:
    """Measure the product and its peers; reads first, so that they see no writes."""
    findings = Findings(
        options.scale, options.rounds, options.seconds, options.connections
    )
    shop = Shop(options.scale)
    peers = [PRODUCT, *(PEERS[name] for name in options.peers if name != PRODUCT.name)]
    with targets_of([(peer, shop) for peer in peers]) as targets:
        for workload in workloads:
            check(targets[0], targets[1:], workload)
        data.restore(shop)
        for workload in workloads:
            seen = measure(
                targets,
                workload,
                rounds=options.rounds,
                seconds=options.seconds,
                connections=options.connections,
                show=say,
            )
            findings.seen[workload.name] = by_peer(seen, targets)
        for target in targets:
            findings.memory[target.server.peer.name] = target.peak_memory()
        findings.verdicts += judge_ratios(findings.ratios)
        if any(workload.name == "login" for workload in workloads):
            seconds = min(LOGIN_ROUND_SECONDS, options.seconds)
            costs = login_cost(targets[0], rounds=options.rounds, seconds=seconds)
            findings.verdicts.append(judge_login(median(costs)))
    return findings


def grow(
    options: argparse.Namespace, workloads: Sequence[Workload]
) -> dict[float, dict[str, float]]:
    """Measure the product in shops of several sizes, side by side."""
    scales = [options.scale, *options.growth]
    growth: dict[float, dict[str, float]] = {scale: {} for scale in options.growth}
    with targets_of([(PRODUCT, Shop(scale)) for scale in scales]) as targets:
        for workload in filter(lambda workload: workload.reads, workloads):
            seen = measure(
                targets,
                workload,
                rounds=options.rounds,
                seconds=options.seconds,
                connections=options.connections,
                show=say,
            )
            small, *larger = [seen[str(target.server)].loads for target in targets]
            for scale, loads in zip(options.growth, larger, strict=True):
                growth[scale][workload.name] = time_ratio(loads, small)
    return growth


def soak(options: argparse.Namespace) -> list[float]:
    with targets_of([(PRODUCT, Shop(options.scale))]) as [target]:
        return watch_memory(
            target, seconds=options.soak, connections=options.connections, show=say
        )


def run(options: argparse.Namespace) -> int:
    workloads = [WORKLOADS[name] for name in options.workloads]
    findings = compare(options, workloads)
    if options.growth:
        findings.growth = grow(options, workloads)
        findings.verdicts += judge_growth(findings.growth)
    if options.soak:
        findings.verdicts += judge_memory(soak(options), STEP_SECONDS)
    write(findings)
    if options.publish:
        publish(findings)
    print(tables(findings))
    return 0


# --- The guard ------------------------------------------------------------------------


def guard(options: argparse.Namespace) -> int:
    """Compare with plain DRF only, and with what was true before."""
    workloads = [WORKLOADS[name] for name in options.workloads]
    shop = Shop(smoke.SCALE)
    with targets_of([(PRODUCT, shop), (DRF, shop)]) as targets:
        for workload in workloads:
            check(targets[0], targets[1:], workload)
        rounds = BASELINE_ROUNDS if options.write_baseline else SMOKE_ROUNDS
        seen = {
            workload.name: measure_briefly(targets, workload, rounds)
            for workload in workloads
        }
        if options.write_baseline:
            smoke.write_baseline({name: standing(one) for name, one in seen.items()})
            return 0
        known = smoke.read_baseline()
        # What else the machine does may look like a loss, but not again and again.
        for _ in range(SMOKE_TRIES):
            standings = {name: standing(measured) for name, measured in seen.items()}
            complaints = smoke.complaints(known, standings)
            for name in sorted({found.workload for found in complaints}):
                say(f"{name} looks worse; measuring it again")
                again = measure_briefly(targets, WORKLOADS[name], SMOKE_ROUNDS)
                add(seen[name], again)
    standings = {name: standing(measured) for name, measured in seen.items()}
    for name, one in standings.items():
        print(f"{name:20} {one['queries']:3} queries  {one['ratio']:6.2f} × plain DRF")
    found = smoke.complaints(known, standings)
    for complaint in found:
        print(f"WORSE  {complaint}")
    return 1 if found else 0


def measure_briefly(
    targets: Sequence[Target], workload: Workload, rounds: int
) -> dict[str, Measured]:
    seen = measure(
        targets,
        workload,
        rounds=rounds,
        seconds=1,
        connections=8,
        warm_up=0,
    )
    return by_peer(seen, targets)


def add(measured: dict[str, Measured], again: dict[str, Measured]) -> None:
    for peer, more in again.items():
        measured[peer].loads += more.loads
        measured[peer].queries = min(measured[peer].queries, more.queries)


def standing(measured: dict[str, Measured]) -> Standing:
    product, drf = measured[PRODUCT.name], measured[DRF.name]
    return {"queries": product.queries, "ratio": rate_ratio(product.loads, drf.loads)}


# --- The command line -----------------------------------------------------------------


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--scale", type=float, default=1.0, help="how large the shop is (1)")
    add("--growth", type=float, nargs="*", default=[], metavar="SCALE")
    add("--workloads", nargs="+", choices=list(WORKLOADS), default=list(WORKLOADS))
    add("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    add("--rounds", type=int, default=5, help="of which the median counts (5)")
    add("--seconds", type=int, default=3, help="of each round (3)")
    add("--connections", type=int, default=16, help="that ask at the same time (16)")
    add("--soak", type=int, default=0, metavar="SECONDS", help="of mixed load, at last")
    add("--publish", action="store_true", help="write the ratios into docs/")
    add("--smoke", action="store_true", help="compare with the baseline instead")
    add("--write-baseline", action="store_true", help="make that baseline anew")
    return parser.parse_args(arguments)


def main() -> int:
    options = parse()
    # Ends like an interruption, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        if options.smoke or options.write_baseline:
            return guard(options)
        return run(options)
    except (Different, LoadFailed) as error:
        say(f"Nothing to compare: {error}")
        return 2


if __name__ == "__main__":
    sys.exit(main())

"""A worker of the queue beside a server: it comes back, takes over code, and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .support.server import ROOT, environment_of

#: Tells who keeps its worker, and then serves until it is told to end.
SERVER = """\
import os, signal
print(os.environ["WORKER_KEEPER"], flush=True)
signal.pause()
"""
PATIENCE_SECONDS = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A server with a worker, whose database has no tables yet."""
    environment = environment_of(
        {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.sqlite3'}",
            "DJANGO_SETTINGS_MODULE": "mechanic_shop.settings.production",
        }
    )
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mechanic_shop.server.with_worker"),
                *(sys.executable, "-c", SERVER),
            ],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def keeper(server: subprocess.Popen[str]) -> int:
    assert server.stdout is not None
    return int(server.stdout.readline())


def workers(keeper: int) -> list[int]:
    """Return the workers that a keeper has; the last one of a dead keeper, too."""
    mark = f"run_worker\0--parent\0{keeper}\0".encode()
    return [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if mark in command_of(process)
    ]


def command_of(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def new_worker(keeper: int, *, other_than: int = 0) -> int:
    """Wait for a worker that listens to signals, and return its process id."""
    found: list[int] = []

    def is_there() -> bool:
        found[:] = [pid for pid in workers(keeper) if pid != other_than]
        return len(found) == 1

    wait(is_there)
    (worker,) = found
    wait(lambda: catches_sigterm(worker))
    return worker


def catches_sigterm(process: int) -> bool:
    status = Path(f"/proc/{process}/status").read_text()
    caught = int(status.split("SigCgt:")[1].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


class TestWorkerBesideAServer:
    def test_comes_back_when_it_was_killed(self, keeper: int) -> None:
        worker = new_worker(keeper)

        os.kill(worker, signal.SIGKILL)

        assert new_worker(keeper, other_than=worker) != worker

    def test_gives_way_to_one_with_new_code(self, keeper: int) -> None:
        worker = new_worker(keeper)

        os.kill(keeper, signal.SIGHUP)

        assert new_worker(keeper, other_than=worker) != worker

    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
    def test_ends_with_the_server(
        self, server: subprocess.Popen[str], keeper: int, how: signal.Signals
    ) -> None:
        new_worker(keeper)

        server.send_signal(how)
        server.wait()

        wait(lambda: not workers(keeper))
        wait(lambda: not Path(f"/proc/{keeper}").exists())

    def test_does_not_outlive_its_keeper(self, keeper: int) -> None:
        new_worker(keeper)

        os.kill(keeper, signal.SIGKILL)

        wait(lambda: not workers(keeper))

    def test_leaves_process_id_and_exit_code_to_the_server(
        self, server: subprocess.Popen[str], keeper: int
    ) -> None:
        assert Path(f"/proc/{server.pid}/cmdline").read_text().endswith(f"{SERVER}\0")
        server.terminate()
        assert server.wait() == -signal.SIGTERM

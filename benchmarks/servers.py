"""The servers that are compared: how each is started, watched and stopped."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from .dataset_size import Shop
from .environment import ROOT, THREADS, WORKERS, environment_of_servers

START_SECONDS = 60
STOP_SECONDS = 15
FIRST_PORT = 18_100


@dataclass(frozen=True)
class Peer:
    """A way to serve the shop; ``command`` gets the port."""

    name: str
    title: str
    command: Callable[[int], Sequence[str]]
    settings: dict[str, str] = field(default_factory=dict)


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def _gunicorn(application: str) -> Callable[[int], list[str]]:
    return lambda port: _python(
        *("gunicorn", application, "--bind", f"127.0.0.1:{port}"),
        *("--workers", str(WORKERS), "--threads", str(THREADS)),
        *("--worker-class", "gthread", "--log-level", "warning"),
    )


def _uvicorn(application: str) -> Callable[[int], list[str]]:
    return lambda port: _python(
        *("uvicorn", application, "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(WORKERS), "--no-access-log", "--log-level", "warning"),
    )


PRODUCT = Peer("product", "Mechanic Shop", lambda port: _python("mechanic_shop.server"))
FLASK = _gunicorn("benchmarks.peers.flask_shop:create_app()")
DRF = Peer(
    "drf",
    "plain DRF",
    _gunicorn("benchmarks.peers.drf_shop.wsgi"),
    {"DJANGO_SETTINGS_MODULE": "benchmarks.peers.drf_shop.settings"},
)
PEERS = {
    peer.name: peer
    for peer in (
        PRODUCT,
        Peer("flask", "Flask", FLASK),
        Peer("flask_no_user", "Flask, no user", FLASK, {"LOAD_USER": "false"}),
        Peer("fastapi", "FastAPI", _uvicorn("benchmarks.peers.fastapi_shop:app")),
        DRF,
        Peer("limit", "the limit", _gunicorn("benchmarks.peers.limit:application")),
    )
}


class Server:
    """A peer that serves a shop; ``pid`` is the process above its workers."""

    def __init__(self, peer: Peer, shop: Shop, port: int) -> None:
        self.peer = peer
        self.shop = shop
        self.port = port
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by stop)

    def __str__(self) -> str:
        return f"{self.peer.name}@{self.shop.scale:g}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            self.peer.command(self.port),
            cwd=ROOT,
            env=environment_of_servers(self.shop.database, self.port)
            | self.peer.settings,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def wait(self) -> None:
        """:raises RuntimeError: with its log, if the server does not answer in time"""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self} did not start:\n{self.log}")

    def terminate(self) -> None:
        self._process.terminate()

    def stop(self) -> None:
        self.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()

    @property
    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-4_000:]

    def workers(self) -> list[int]:
        """Return the processes that answer requests: the children that import code."""
        return [pid for pid in children_of(self._process.pid) if not _is_tracker(pid)]

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/api/auth/me")
            return connection.getresponse().status == 401
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def running(peers: Sequence[tuple[Peer, Shop]]) -> Iterator[list[Server]]:
    """Start all of them, and stop all, whatever happens."""
    servers = [
        Server(peer, shop, FIRST_PORT + number)
        for number, (peer, shop) in enumerate(peers)
    ]
    with ExitStack() as stopping, ExitStack() as terminating:
        for server in servers:
            server.start()
            stopping.callback(server.stop)
            # Before any is waited for: some take their time.
            terminating.callback(server.terminate)
        for server in servers:
            server.wait()
        yield servers


# --- /proc ----------------------------------------------------------------------------


def children_of(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return sorted(int(pid) for task in tasks for pid in task.read_text().split())


def _is_tracker(pid: int) -> bool:
    """Tell Python's own child, which tracks what processes share."""
    with suppress(OSError):
        return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return True


def memory_of(pid: int, what: str = "VmRSS") -> float:
    """Return a process' resident memory in MB: now, or its peak (``VmHWM``)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == what:
            return int(value.split()[0]) / 1_024
    raise KeyError(what)

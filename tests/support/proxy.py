"""HAProxy with one of the project's configurations, started for a test."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..reliability.services import program

START_SECONDS = 20
STOP_SECONDS = 10


class Proxy:
    """A running HAProxy; ``process`` is the only one, it starts no workers."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        environment: Mapping[str, str],
        log: Path,
    ) -> None:
        self.process = process
        self.environment = environment
        self._log = log

    @property
    def log(self) -> str:
        """Everything that it has written so far."""
        return self._log.read_text(errors="replace")

    def accepts(self) -> bool:
        """Return whether all its listeners take connections."""
        return all(map(_accepts, _listeners(self.environment)))

    def stop(self) -> None:
        """End the process, and wait until it is gone."""
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def running_proxy(
    config: Path, environment: Mapping[str, str], folder: Path
) -> Iterator[Proxy]:
    """Run HAProxy with a configuration, whose ``${NAME}`` the environment fills in.

    Each variable that ends in ``_BIND`` holds an address like ``127.0.0.1:8443``, on
    which the configuration listens; all of them accept when the block begins.

    :raises RuntimeError: with its log, if it does not start
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "proxy.log"
    command = [program("haproxy", "haproxy"), "-db", "-f", str(config)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={"PATH": os.environ.get("PATH", ""), **environment},
            stdout=output,
            stderr=output,
        )
    proxy = Proxy(process, environment, log)
    try:
        _await(proxy)
        yield proxy
    finally:
        proxy.stop()


def check_config(config: Path, environment: Mapping[str, str]) -> str:
    """Return what HAProxy has against a configuration; an empty text if nothing."""
    checked = subprocess.run(
        [program("haproxy", "haproxy"), "-c", "-f", str(config)],
        env={"PATH": os.environ.get("PATH", ""), **environment},
        capture_output=True,
        text=True,
    )
    return "" if checked.returncode == 0 and not checked.stderr else checked.stderr


def _await(proxy: Proxy) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and proxy.process.poll() is None:
        if proxy.accepts():
            return
        time.sleep(0.05)
    raise RuntimeError(f"The proxy did not start:\n{proxy.log}")


def _listeners(environment: Mapping[str, str]) -> list[tuple[str, int]]:
    addresses = [
        value.rpartition(":")
        for name, value in environment.items()
        if name.endswith("_BIND")
    ]
    return [(host or "127.0.0.1", int(port)) for host, _, port in addresses]


def _accepts(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True

"""A MariaDB and a Redis of the tests' own, which a test may stop, kill or pause.

Both listen on a free port of loopback and keep their files in a folder of the tests.
They end with the tests, in whatever state a test has left them.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

import redis

START_SECONDS = 60
STOP_SECONDS = 30


class ServiceMissing(RuntimeError):
    """A program that these tests need is not installed."""


def program(name: str, package: str) -> str:
    """Find a program on the path, or where Debian keeps servers.

    :raises ServiceMissing: naming Debian's package, if it is not there
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise ServiceMissing(f"{name} is missing (Debian: apt install {package}).")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service(ABC):
    """A server program; what ``start`` returns from has answered already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    @property
    def log(self) -> str:
        return (self.folder / "service.log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> Self:
        """Start the program, again too, on the same port and data.

        :raises RuntimeError: with its log, if it does not answer in time
        """
        with (self.folder / "service.log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        atexit.register(self.kill)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self.answers():
                return self
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"{self.command()[0]} did not start:\n{self.log}")

    def stop(self) -> None:
        """Let the program end in order, and wait until it has."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the program as a crash would, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let the program hang: it keeps its connections and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def revive(self) -> None:
        """Let the program run again, whatever a test has done to it."""
        if self._process is None or self._process.poll() is not None:
            self.start()
        else:
            self.resume()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        # What is paused would not notice that it shall end.
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class MariaDB(Service):
    @property
    def url(self) -> str:
        return f"mysql://root@127.0.0.1:{self.port}"

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """Run one statement as root, on a connection of its own."""
        import MySQLdb

        connection = MySQLdb.connect(
            host="127.0.0.1", port=self.port, user="root", connect_timeout=2
        )
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall())
        finally:
            connection.close()

    def start(self) -> Self:
        if not self._data.exists():
            self._install()
        return super().start()

    def answers(self) -> bool:
        import MySQLdb

        try:
            return bool(self.run("SELECT 1"))
        except MySQLdb.OperationalError:
            return False

    def command(self) -> list[str]:
        return [
            program("mariadbd", "mariadb-server"),
            *("--no-defaults", f"--datadir={self._data}", *self._user),
            *(f"--port={self.port}", "--bind-address=127.0.0.1"),
            # Relative to the data: the path of a socket must be short.
            *("--socket=own.sock", "--pid-file=own.pid", "--skip-name-resolve"),
            *("--skip-log-bin", "--performance-schema=OFF", "--max-connections=400"),
            *("--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=2"),
        ]

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _user(self) -> list[str]:
        """MariaDB runs as root only when told to."""
        return ["--user=root"] if os.geteuid() == 0 else []

    def _install(self) -> None:
        done = subprocess.run(
            [
                program("mariadb-install-db", "mariadb-server"),
                *("--no-defaults", f"--datadir={self._data}", *self._user),
                *("--auth-root-authentication-method=normal", "--skip-test-db"),
                "--skip-name-resolve",
            ],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"No database files:\n{done.stdout}{done.stderr}")


class Redis(Service):
    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        with redis.Redis(port=self.port, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def command(self) -> list[str]:
        return [
            program("redis-server", "redis-server"),
            *("--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(self.folder), "--save", "", "--appendonly", "no"),
        ]

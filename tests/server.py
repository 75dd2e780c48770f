"""The production form of the server, started for a test and stopped after it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
OWNER = {"email": "owner@shop.example", "password": "correct-horse-battery"}
#: The command of ``make serve``, with this Python.
COMMAND = [sys.executable, "-m", "mechanic_shop.server"]
JSON_WEB_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


class Server:
    """A server of an empty, migrated database; ``process`` is its parent process."""

    process: subprocess.Popen[bytes]

    def __init__(
        self, port: int, environment: dict[str, str], command: list[str], log: Path
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.environment = environment
        #: What the log must not show; add the passwords that a test uses.
        self.secrets = {OWNER["password"]}
        self._command = command
        self._log = log
        self._clients: list[httpx.Client] = []

    @property
    def log(self) -> str:
        """Everything that the server has written so far, over all its starts."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start the server, again too, and wait until it answers.

        :raises RuntimeError: with its log, if it does not
        """
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        try:
            _wait_for(self.url, self.process, self._log)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End the server as an operator does, a paused one too; wait until it is gone.

        What does not end in time is killed.
        """
        if self.process.poll() is not None:
            return
        self._signal_all(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End all its processes as a crash of the machine would."""
        self._signal_all(signal.SIGKILL)
        self.process.wait()

    def worker_pids(self) -> list[int]:
        """Return the children of the parent that answer requests."""
        return sorted(
            int(process.name)
            for process in Path("/proc").glob("[0-9]*")
            if _is_worker(process, self.process.pid)
        )

    def check_log(self) -> None:
        """:raises AssertionError: if the log shows a password or a token"""
        log = self.log
        shown = [secret for secret in self.secrets if secret in log]
        assert not shown, f"{self._log} shows passwords: {shown}"
        assert not JSON_WEB_TOKEN.search(log), f"{self._log} shows a token"

    def _signal_all(self, which: signal.Signals) -> None:
        for pid in (self.process.pid, *self.worker_pids()):
            with suppress(ProcessLookupError):
                os.kill(pid, which)

    def close_clients(self) -> None:
        for client in self._clients:
            client.close()

    def manage(self, *command: str) -> str:
        """Run a management command against the server's database."""
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(base_url=f"{self.url}/api", headers=headers, timeout=30)
        self._clients.append(client)
        return client

    def sign_in(self, **credentials: str) -> httpx.Client:
        credentials = credentials or OWNER
        self.secrets.add(credentials["password"])
        answer = self.client().post("/auth/login", json=credentials)
        return self.client(answer.raise_for_status().json()["access_token"])


@contextmanager
def running_server(
    tmp_path: Path,
    *,
    workers: int = 2,
    threads: int = 4,
    database_url: str | None = None,
    redis_url: str | None = None,
    settings_module: str = "mechanic_shop.settings.production",
    command: list[str] = COMMAND,
    **settings: str,
) -> Iterator[Server]:
    """Serve an empty database of the kind that the suite runs on, or of the given one.

    A MySQL URL names the service; the server gets a database of its own there.
    """
    with _database(database_url or _database_of_the_suite(tmp_path)) as url:
        settings = {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": settings_module,
            **({} if redis_url is None else {"REDIS_URL": redis_url}),
            **settings,
        }
        port = _free_port()
        settings |= {"HOST": "127.0.0.1", "PORT": str(port)}
        settings |= {"WORKERS": str(workers), "THREADS": str(threads)}
        log = tmp_path / "server.log"
        server = Server(port, _environment(settings), command, log)
        server.manage("migrate", "--verbosity", "0")
        server.start()
        try:
            yield server
        finally:
            server.close_clients()
            server.stop()
            server.check_log()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_worker(process: Path, parent: int) -> bool:
    """Tell whether a folder of /proc is one of the parent's workers.

    Python's own child, which tracks what processes share, is none.
    """
    try:
        after_the_name = (process / "stat").read_text().rpartition(")")[2].split()
        command = (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    state, parent_of_it = after_the_name[:2]
    return (
        int(parent_of_it) == parent
        and state != "Z"
        and b"resource_tracker" not in command
    )


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """Only what a server needs: a developer's own settings must not leak in."""
    inherited = {
        name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ
    }
    return {
        **inherited,
        "SECRET_KEY": "a-key-of-a-server-that-lives-for-one-test",
        "JWT_SECRET_KEY": "another-key-of-a-server-that-lives-for-one-test",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "false",
        "SHOP_OPEN_ACCESS": "false",
        "REDIS_URL": os.environ.get("REDIS_URL", ""),
        "EMAIL_URL": "consolemail://",
        "DJANGO_SUPERUSER_PASSWORD": OWNER["password"],
        **settings,
    }


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"The server did not start:\n{log.read_text()}")


def _database_of_the_suite(tmp_path: Path) -> str:
    configured = os.environ.get("DATABASE_URL", "")
    if configured.startswith("mysql"):
        return configured
    return f"sqlite:///{tmp_path / 'server.sqlite3'}"


@contextmanager
def _database(configured: str) -> Iterator[str]:
    if not configured.startswith("mysql"):
        yield configured
        return
    name = f"test_server_{uuid4().hex[:12]}"
    _run(configured, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        yield urlsplit(configured)._replace(path=f"/{name}").geturl()
    finally:
        _run(configured, f"DROP DATABASE {name}")


def _run(database_url: str, statement: str) -> None:
    import MySQLdb

    url = urlsplit(database_url)
    connection = MySQLdb.connect(
        host=url.hostname or "127.0.0.1",
        port=url.port or 3306,
        user=url.username or "root",
        password=url.password or "",
        connect_timeout=5,
    )
    connection.cursor().execute(statement)
    connection.close()

"""The production form of the server, started for a test and stopped after it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
OWNER = {"email": "owner@shop.example", "password": "correct-horse-battery"}


class Server:
    """A running server with an empty, migrated database and the shop's owner."""

    def __init__(self, url: str, environment: dict[str, str]) -> None:
        self.url = url
        self.environment = environment
        self._clients: list[httpx.Client] = []

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
        answer = self.client().post("/auth/login", json=credentials or OWNER)
        return self.client(answer.raise_for_status().json()["access_token"])


@contextmanager
def running_server(
    tmp_path: Path, *, workers: int = 2, **settings: str
) -> Iterator[Server]:
    """Serve an empty database of the kind that the suite runs on."""
    with _database(tmp_path) as database_url, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        server = Server(
            f"http://127.0.0.1:{port}", _environment(database_url, settings)
        )
        server.manage("migrate", "--verbosity", "0")
        log = (tmp_path / "server.log").open("w")
        process = subprocess.Popen(
            _command(port, workers),
            cwd=ROOT,
            env=server.environment,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(server.url, process, tmp_path / "server.log")
            yield server
        finally:
            server.close_clients()
            process.terminate()
            process.wait(timeout=START_SECONDS)
            log.close()


def _command(port: int, workers: int) -> list[str]:
    """The command of ``make serve``, with this Python."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi"),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", "4"),
        *("--respawn-failed-workers", "--no-ws", "mechanic_shop.wsgi:application"),
    ]


def _environment(database_url: str, settings: dict[str, str]) -> dict[str, str]:
    """Only what a server needs: a developer's own settings must not leak in."""
    inherited = {
        name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ
    }
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "mechanic_shop.settings.production",
        "SECRET_KEY": "a-key-of-a-server-that-lives-for-one-test",
        "JWT_SECRET_KEY": "another-key-of-a-server-that-lives-for-one-test",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "false",
        "SHOP_OPEN_ACCESS": "false",
        "DATABASE_URL": database_url,
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


@contextmanager
def _database(tmp_path: Path) -> Iterator[str]:
    configured = os.environ.get("DATABASE_URL", "")
    if not configured.startswith("mysql"):
        yield f"sqlite:///{tmp_path / 'server.sqlite3'}"
        return
    import MySQLdb

    url = urlsplit(configured)
    name = f"test_server_{uuid4().hex[:12]}"
    connection = MySQLdb.connect(
        host=url.hostname or "127.0.0.1",
        port=url.port or 3306,
        user=url.username or "root",
        password=url.password or "",
    )
    cursor = connection.cursor()
    cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        yield url._replace(path=f"/{name}").geturl()
    finally:
        cursor.execute(f"DROP DATABASE {name}")
        connection.close()

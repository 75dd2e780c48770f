"""The production form of the server, started for a test and stopped after it."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx

from . import databases
from .manage_process import ManageProcess

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
OWNER = {"email": "owner@shop.example", "password": "correct-horse-battery"}
CREATE_OWNER = (
    *("createsuperuser", "--noinput", "--email", OWNER["email"]),
    *("--first_name", "Olive", "--last_name", "Owner"),
)
PRODUCTION = "mechanic_shop.settings.production"
#: The server of ``make serve``, with this Python.
COMMAND = [sys.executable, "-m", "mechanic_shop.server"]
#: The same with a worker beside it, for tests that wait for a mail.
WITH_WORKER = [sys.executable, "-m", "mechanic_shop.server.with_worker", *COMMAND]
#: Settings under which nobody is throttled, for tests that ask more than a person.
NO_LIMITS = {
    f"THROTTLE_{rule}": ""
    for rule in (
        *("REGISTER", "LOGIN", "PASSWORD", "PASSWORD_RESET"),
        *("CREATE_CUSTOMER", "CREATE_MECHANIC", "CREATE_TICKET", "CREATE_PART"),
    )
}
JSON_WEB_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


class Site:
    """An address at which the shop is reached, and the clients that tests have of it.

    ``verify`` says whose certificates they trust.
    """

    def __init__(self, url: str, *, verify: ssl.SSLContext | bool = True) -> None:
        self.url = url
        #: What no log may show; add the passwords that a test uses.
        self.secrets = {OWNER["password"]}
        self._verify = verify
        self._clients: list[httpx.Client] = []

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(
            base_url=f"{self.url}/api",
            headers=headers,
            timeout=30,
            verify=self._verify,
        )
        self._clients.append(client)
        return client

    def sign_in(self, **credentials: str) -> httpx.Client:
        credentials = credentials or OWNER
        self.secrets.add(credentials["password"])
        answer = self.client().post("/auth/login", json=credentials)
        return self.client(answer.raise_for_status().json()["access_token"])

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients:
            client.close()


class Server(Site):
    """A server of a migrated database; ``process`` is its parent process.

    It runs the code of ``folder``, as whoever its command makes it.
    """

    process: subprocess.Popen[bytes]

    def __init__(
        self,
        port: int,
        environment: dict[str, str],
        command: list[str],
        log: Path,
        *,
        folder: Path = ROOT,
    ) -> None:
        super().__init__(f"http://127.0.0.1:{port}")
        self.environment = environment
        self._command = command
        self.log_file = log
        self._folder = folder
        self._manage = ManageProcess(environment, log.with_name("manage.log"))

    @property
    def log(self) -> str:
        """Everything that the server has written so far, over all its starts."""
        return self.log_file.read_text(errors="replace")

    def start(self) -> None:
        """Start the server, again too, and wait until it answers.

        :raises RuntimeError: with its log, if it does not
        """
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        try:
            _wait_for(self.url, self.process, self.log_file)
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
        assert not shown, f"{self.log_file} shows passwords: {shown}"
        assert not JSON_WEB_TOKEN.search(log), f"{self.log_file} shows a token"

    def _signal_all(self, which: signal.Signals) -> None:
        for pid in (self.process.pid, *self.worker_pids()):
            with suppress(ProcessLookupError):
                os.kill(pid, which)

    def close(self) -> None:
        """Close what tests have opened beside the server."""
        super().close()
        self._manage.close()

    def manage(self, *command: str) -> str:
        """Run a management command against the server's database.

        :raises CommandFailed: if it fails
        """
        return self._manage.run(*command)


@contextmanager
def running_server(
    tmp_path: Path,
    *,
    workers: int = 2,
    threads: int = 4,
    database_url: str | None = None,
    redis_url: str | None = None,
    settings_module: str = PRODUCTION,
    command: list[str] = COMMAND,
    has_owner: bool = False,
    **settings: str,
) -> Iterator[Server]:
    """Serve a new database of the kind that the suite runs on, or of the given one.

    A MySQL URL names the service; the server gets a database of its own there. All
    that is in a new database is the owner, where it ``has_owner``.
    """
    configured = database_url or databases.url_for(tmp_path)
    with databases.new_database(configured) as url:
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
        server = Server(port, environment_of(settings), command, log)
        databases.fill(
            url,
            like="with-owner" if has_owner else "empty",
            folder=tmp_path,
            by=partial(migrate, server.environment, tmp_path, has_owner=has_owner),
        )
        server.start()
        try:
            yield server
        finally:
            server.close()
            server.stop()
            server.check_log()


def migrate(environment: dict[str, str], folder: Path, *, has_owner: bool) -> None:
    """Migrate as production does, whatever the server is made of for its test."""
    production = {**environment, "DJANGO_SETTINGS_MODULE": PRODUCTION}
    with closing(ManageProcess(production, folder / "migrating.log")) as manage:
        manage.run("migrate", "--verbosity", "0")
        if has_owner:
            manage.run(*CREATE_OWNER)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_worker(process: Path, parent: int) -> bool:
    """Return whether a folder of /proc is one of the parent's workers.

    Python's own child, which tracks what processes share, is none.
    """
    try:
        after_the_name = (process / "stat").read_text().rpartition(")")[2].split()
        state, parent_of_it = after_the_name[:2]
        if int(parent_of_it) != parent or state == "Z":
            return False
        return b"resource_tracker" not in (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def environment_of(settings: dict[str, str]) -> dict[str, str]:
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
    with httpx.Client() as client:
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(httpx.TransportError):
                if client.get(f"{url}/readyz").status_code == 200:
                    return
            time.sleep(0.1)
    raise RuntimeError(f"The server did not start:\n{log.read_text()}")

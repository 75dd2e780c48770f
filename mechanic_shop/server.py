"""The production server: granian, started by ``python -m mechanic_shop.server``.

Three things differ from granian's own command, all for the sake of requests that are
under way while workers come and go:

- All workers accept from one listening socket. With a socket for each, which is what
  granian does on Linux, connections that wait for a worker die with it.
- Before a worker stops, it asks its clients to reconnect and goes on answering for a
  moment. Closing an idle connection may cross a request that is on its way to it.
- A worker that somebody killed is replaced however often that happens. One that cannot
  start is not: then the server ends, and whoever supervises it learns of it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import import_module
from threading import Timer
from typing import Any

from granian._granian import ListenerSpec
from granian.constants import Interfaces
from granian.server.mp import MPServer

from .settings.env import read_int, read_text

APPLICATION = "mechanic_shop.wsgi:application"
SETTINGS = "mechanic_shop.settings.production"
READ_SETTINGS = "from django.conf import settings; settings.SECRET_KEY"
DRAIN_SECONDS = 1.0
#: A new worker needs so long until it can take over from an old one.
START_SECONDS = 3.0
#: No request takes longer; a worker that still works on one then is killed.
KILL_SECONDS = 20

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Drainable:
    """A WSGI application that can ask its clients to reconnect elsewhere."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.is_draining = False
        signal.signal(signal.SIGUSR1, self.drain)

    def drain(self, *signal_and_frame: object) -> None:
        self.is_draining = True

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if self.is_draining:
            start_response = partial(_start_and_close, start_response)
        return self.application(environ, start_response)


def _start_and_close(
    start_response: Callable[..., Any],
    status: str,
    headers: list[tuple[str, str]],
    *exc_info: Any,
) -> Any:
    return start_response(status, [*headers, ("Connection", "close")], *exc_info)


class ShopServer(MPServer):
    """See the module's text for what differs, and why."""

    def _init_shared_socket(self) -> None:
        spec = ListenerSpec(self.bind_addr, self.bind_port, self.backlog)
        self._shd: Any = spec.build()
        self._sfd = self._shd.get_fd()
        self._sso = socket.socket(fileno=self._sfd)
        self._sso.set_inheritable(True)

    def _respawn_workers(
        self,
        workers: Sequence[int],
        spawn_target: Any,
        target_loader: Any,
        delay: float = 0,
    ) -> None:
        for index in workers:
            old = self.wrks[index]
            # The new one starts at once, and the old one is stopped after the delay.
            Timer(max(delay - DRAIN_SECONDS, 0), _drain, [old]).start()
            super()._respawn_workers([index], spawn_target, target_loader, delay)
            if _was_killed(old):
                # Not a crash, of which two in a row would end the server.
                self.respawned_wrks.pop(index, None)

    def _stop_workers(self) -> None:
        for worker in self.wrks:
            _drain(worker)
        time.sleep(DRAIN_SECONDS)
        super()._stop_workers()  # type: ignore[no-untyped-call]


def _drain(worker: Any) -> None:
    if worker.is_alive():
        os.kill(worker.inner.pid, signal.SIGUSR1)


def _was_killed(worker: Any) -> bool:
    return (worker.inner.exitcode or 0) < 0


def load_application(target: str) -> Drainable:
    """Import the application; runs in each worker, so that a reload finds new code."""
    module, _, name = target.partition(":")
    return Drainable(getattr(import_module(module), name))


def check_settings() -> None:
    """End the start at a wrong setting, whose message comes last on the terminal.

    In a process of its own: workers are forked, and after a reload they have to read
    the settings anew.
    """
    command = [sys.executable, "-c", READ_SETTINGS]
    checked = subprocess.run(command, check=False)  # noqa: S603
    if checked.returncode:
        sys.exit(checked.returncode)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    check_settings()
    server = ShopServer(
        APPLICATION,
        address=read_text("HOST", "127.0.0.1"),
        port=read_int("PORT", 8000, minimum=1, maximum=65_535),
        interface=Interfaces.WSGI,
        workers=read_int("WORKERS", 2, minimum=1, maximum=256),
        blocking_threads=read_int("THREADS", 8, minimum=1, maximum=256),
        websockets=False,
        respawn_failed_workers=True,
        respawn_interval=START_SECONDS + DRAIN_SECONDS,
        workers_kill_timeout=KILL_SECONDS,
    )
    server.serve(target_loader=load_application)


if __name__ == "__main__":
    main()

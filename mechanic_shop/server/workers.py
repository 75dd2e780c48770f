"""Worker processes that come and go without a request being lost.

Three things differ from granian's own:

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
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from threading import Timer
from typing import TYPE_CHECKING, Any

from granian._granian import ListenerSpec
from granian.server.mp import MPServer

if TYPE_CHECKING:
    from .bridge import Bridge

DRAIN_SECONDS = 1.0


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


def load_application(threads: int) -> Callable[[str], Bridge]:
    """Return what each worker imports the application with."""
    return partial(_load, threads)


def _load(threads: int, target: str) -> Bridge:
    # Nothing of the application is imported before: workers are forked, and after a
    # reload they have to find the new code.
    from .bridge import Bridge

    module, _, name = target.partition(":")
    return Bridge(getattr(import_module(module), name), threads=threads)

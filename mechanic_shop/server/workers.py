"""Worker processes that come and go without a request being lost.

Four things differ from granian's own:

- All workers accept from one listening socket. With a socket for each, which is what
  granian does on Linux, connections that wait for a worker die with it.
- Before a worker stops, it asks its clients to reconnect and goes on answering for a
  moment. Closing an idle connection may cross a request that is on its way to it.
- Before the server stops, it says so at ``/readyz`` and goes on answering for as long
  as a proxy needs to notice.
- A worker that somebody killed is replaced however often that happens. One that cannot
  start is not: then the server ends, and whoever supervises it learns of it.
"""

from __future__ import annotations

import gc
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

#: So long before a worker stops, it asks its clients to come back on a new connection.
RECONNECT_SECONDS = 1.0
#: What workers are told by; one that still starts would die of it. It waits for them.
NOTICES = (signal.SIGUSR1, signal.SIGUSR2)


class ShopServer(MPServer):
    """See the module's text for what differs, and why."""

    def __init__(self, *args: Any, drain_seconds: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self.drain_seconds = drain_seconds

    def startup(self, *loaders: Any) -> None:
        # Workers inherit this, until they listen.
        signal.pthread_sigmask(signal.SIG_BLOCK, NOTICES)
        super().startup(*loaders)  # type: ignore[no-untyped-call]

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
            Timer(
                max(delay - RECONNECT_SECONDS, 0), _tell, [old, signal.SIGUSR1]
            ).start()
            super()._respawn_workers([index], spawn_target, target_loader, delay)
            if _was_killed(old):
                # Not a crash, of which two in a row would end the server.
                self.respawned_wrks.pop(index, None)

    def _stop_workers(self) -> None:
        for worker in self.wrks:
            _tell(worker, signal.SIGUSR2)
        time.sleep(self.drain_seconds)
        super()._stop_workers()  # type: ignore[no-untyped-call]


def _tell(worker: Any, what: signal.Signals) -> None:
    if worker.is_alive():
        os.kill(worker.inner.pid, what)


def _was_killed(worker: Any) -> bool:
    return (worker.inner.exitcode or 0) < 0


def load_application(threads: int) -> Callable[[str], Bridge]:
    """Return what each worker imports the application with."""
    return partial(_load, threads)


def _load(threads: int, target: str) -> Bridge:
    # It waits, too: what a fork inherits here would do nothing with it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    # Nothing of the application is imported before: workers are forked, and after a
    # reload they have to find the new code.
    from .bridge import Bridge

    module, _, name = target.partition(":")
    bridge = Bridge(getattr(import_module(module), name), threads=threads)
    # What is here now stays. Without this the collector looks at all of it again and
    # again, which took a tenth of the time of a short request.
    gc.collect()
    gc.freeze()
    return bridge

"""Become a server, with a worker of the queue beside it: ``… with_worker COMMAND``.

The server keeps its process id, its signals and its exit code. The worker has a keeper,
which starts it again when it has died, and ends it when the server has ended or died.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import FrameType

#: Names the keeper to the server, which tells it of new code: see gunicorn_conf.
KEEPER_VARIABLE = "WORKER_KEEPER"
LOOK_SECONDS = 0.2
#: A worker that dies at once shall not be started all the time.
PAUSE_SECONDS = 2.0
#: A worker finishes the mail that it is sending; then it is killed.
STOP_SECONDS = 20.0


class Keeper:
    """Keeps a worker running as long as the server with a process id does."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._command = [sys.executable, "manage.py", "run_worker"]
        self._command += ["--parent", str(os.getpid())]
        self._worker: subprocess.Popen[bytes] | None = None

    def keep(self) -> None:
        """Return when the server is gone and the worker has ended."""
        # From a terminal, it reaches the server too, which ends in its own time.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, self.renew)
        while self._is_needed():
            self._worker = subprocess.Popen(self._command)  # noqa: S603
            while self._is_needed() and self._worker.poll() is None:
                time.sleep(LOOK_SECONDS)
            if self._is_needed():
                time.sleep(PAUSE_SECONDS)
        self._end_worker()

    def renew(self, number: int, frame: FrameType | None) -> None:
        """Let the worker end, so that the next one has the new code."""
        if self._worker is not None:
            self._worker.terminate()

    def _is_needed(self) -> bool:
        return os.getppid() == self._server

    def _end_worker(self) -> None:
        if self._worker is None:
            return
        self._worker.terminate()
        try:
            self._worker.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._worker.kill()


def main() -> None:
    server = os.getpid()
    keeper = os.fork()
    if not keeper:
        Keeper(server).keep()
        return
    os.environ[KEEPER_VARIABLE] = str(keeper)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606


if __name__ == "__main__":
    main()

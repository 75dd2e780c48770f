"""What gunicorn does for this shop; a reload reads this file again.

Its first process lives longer than a release, so nothing of the shop is imported here.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

worker_class = "gthread"
#: The most that gunicorn allows. What is longer gets its answer from the proxy.
limit_request_line = 8190
#: What is a header's value, and no token, is for Django to refuse in the API's words.
limit_request_field_size = 131_072
#: Django alone decides whose headers about the scheme are believed.
forwarded_allow_ips = ""
control_socket_disable = True

DRAIN_SECONDS = int(os.environ.get("DRAIN_SECONDS") or 1)
#: The folder that the workers share; a file in it tells ``/readyz`` of a stop.
SHARED = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])


def when_ready(server: Any) -> None:
    """Let ``/readyz`` say 503 for ``DRAIN_SECONDS`` before SIGTERM takes effect.

    A second SIGTERM takes effect at once.
    """
    stop: Any = signal.getsignal(signal.SIGTERM)

    def drain_or_stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() != server.pid:  # a worker that has not begun to listen
            os._exit(0)
        if (SHARED / "stopping").exists():
            stop(signal.SIGTERM, frame)
            return
        SHARED.mkdir(mode=0o700, exist_ok=True)
        (SHARED / "stopping").touch()
        signal.alarm(DRAIN_SECONDS)

    signal.signal(signal.SIGTERM, drain_or_stop)
    signal.signal(signal.SIGALRM, drain_or_stop)


def post_worker_init(worker: Any) -> None:
    """Keep the garbage collector from what is loaded now, which stays.

    Looking at all of it again and again took a tenth of the time of a short request.
    """
    gc.collect()
    gc.freeze()


def on_reload(server: Any) -> None:
    """Let the worker of the queue take over new code, if one is kept beside the server.

    Its keeper is a child of this process. If it has died, its number may be another's.
    """
    keeper = int(os.environ.get("WORKER_KEEPER") or 0)
    with suppress(ChildProcessError):
        if keeper and os.waitpid(keeper, os.WNOHANG) == (0, 0):
            os.kill(keeper, signal.SIGHUP)


def on_exit(server: Any) -> None:
    shutil.rmtree(SHARED, ignore_errors=True)

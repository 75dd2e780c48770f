"""gunicorn as it must not be: told to stop, its workers leave everything as it is."""

from __future__ import annotations

import os
import signal
from typing import Any

control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

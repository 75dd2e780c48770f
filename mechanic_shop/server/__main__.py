"""Start the server that the environment describes."""

from __future__ import annotations

import os
import subprocess
import sys

from granian.constants import Interfaces

from mechanic_shop.settings.env import read_int, read_text

from .shared_folder import shared_folder
from .workers import RECONNECT_SECONDS, ShopServer, load_application

APPLICATION = "mechanic_shop.wsgi:application"
SETTINGS = "mechanic_shop.settings.production"
READ_SETTINGS = "from django.conf import settings; settings.SECRET_KEY"
#: A new worker needs so long until it can take over from an old one.
START_SECONDS = 3.0
#: No request takes longer; a worker that still works on one then is killed.
KILL_SECONDS = 20
#: Connections that may wait for a worker, and requests that may arrive in each.
BACKLOG = 4096


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
        interface=Interfaces.RSGI,
        workers=read_int("WORKERS", 2, minimum=1, maximum=256),
        backlog=BACKLOG,
        backpressure=BACKLOG,
        websockets=False,
        respawn_failed_workers=True,
        respawn_interval=START_SECONDS + RECONNECT_SECONDS,
        workers_kill_timeout=KILL_SECONDS,
        drain_seconds=read_int("DRAIN_SECONDS", 1, minimum=1, maximum=300),
    )
    threads = read_int("THREADS", 8, minimum=1, maximum=256)
    with shared_folder():
        server.serve(target_loader=load_application(threads))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()

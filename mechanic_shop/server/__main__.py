"""Become gunicorn, with what the environment says on its command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from secrets import token_hex

from mechanic_shop.settings.env import read_int, read_text

APPLICATION = "mechanic_shop.wsgi:application"
SETTINGS = "mechanic_shop.settings.production"
COUNT_PROXIES = """
from django.conf import settings
print(settings.REST_FRAMEWORK["NUM_PROXIES"])
"""
CONFIG = Path(__file__).with_name("gunicorn_conf.py")
#: No request takes longer; a worker that still works on one then is killed.
KILL_SECONDS = 20
#: A browser's connection is kept so long for its next request, if no proxy keeps it.
KEEP_ALIVE_SECONDS = 5
#: Kept connections, and those that wait for a thread, in each worker without a proxy.
CONNECTIONS = 1000


def count_proxies() -> int:
    """Read the settings, and end the start at a wrong one with its message last.

    In a process of its own: after a reload the workers have to find new code.
    """
    command = [sys.executable, "-c", COUNT_PROXIES]
    checked = subprocess.run(command, check=False, stdout=subprocess.PIPE)  # noqa: S603
    if checked.returncode:
        sys.exit(checked.returncode)
    return int(checked.stdout)


def arguments(*, proxies: int) -> list[str]:
    """Return gunicorn's arguments.

    Behind a proxy each request has a connection of its own, and a worker takes no more
    of them than it has threads: what waits stays where a free worker can take it.
    """
    host = read_text("HOST", "127.0.0.1")
    port = read_int("PORT", 8000, minimum=1, maximum=65_535)
    threads = read_int("THREADS", 8, minimum=1, maximum=256)
    options = {
        "config": CONFIG,
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": read_int("WORKERS", 2, minimum=1, maximum=256),
        "threads": threads,
        "graceful-timeout": KILL_SECONDS,
        "worker-connections": threads if proxies else CONNECTIONS,
        "keep-alive": 0 if proxies else KEEP_ALIVE_SECONDS,
    }
    return [*(f"--{name}={value}" for name, value in options.items()), APPLICATION]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    read_int("DRAIN_SECONDS", 1, minimum=1, maximum=300)
    command = [sys.executable, "-m", "gunicorn", *arguments(proxies=count_proxies())]
    # Its workers make it when they have something to share; nobody can guess its name.
    folder = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = f"{folder}/mechanic-shop-{token_hex(16)}"
    os.execv(sys.executable, command)  # noqa: S606


if __name__ == "__main__":
    main()

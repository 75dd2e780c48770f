"""Say in one line why nobody can listen at ``HOST`` and ``PORT``.

``make`` asks before it does anything else, since the servers would say it in their own
words, one of them with a traceback, after they have migrated the database.
"""

from __future__ import annotations

import os
import socket
import sys

LAST_PORT = 65_535


def why_not(host: str, port: int) -> str:
    """Return why a server cannot listen at an address; empty if it can."""
    try:
        [(family, kind, _, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )
        with socket.socket(family, kind) as listener:
            # What a server that has just stopped leaves behind is in nobody's way.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except (OSError, OverflowError) as error:
        return str(getattr(error, "strerror", None) or error)
    return ""


def another(port: int) -> int:
    """Return a port to try next; those below 1024 are not for everybody."""
    return port + 1 if 1024 <= port < LAST_PORT else 8000


def main() -> None:
    host, port = os.environ["HOST"], os.environ["PORT"]
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= LAST_PORT):
        sys.exit(f"PORT is not a number from 1 to {LAST_PORT}: {port}")
    if reason := why_not(host, int(port)):
        advice = f"Name another port: PORT={another(int(port))}"
        sys.exit(f"Nobody can listen at {host}:{port} ({reason}). {advice}")


if __name__ == "__main__":
    main()

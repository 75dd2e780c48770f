"""Where this machine's own server is reached, by ``HOST`` and ``PORT`` of ``make``."""

from __future__ import annotations

import os
import socket

LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
#: What a server listens on to be reached by every address of its machine.
EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104
#: An address for documentation, which nobody has (RFC 5737). Nothing is sent to it.
ELSEWHERE = ("192.0.2.1", 9)


def own_hosts() -> list[str]:
    """Return the hosts by which browsers may call the server, the nearest first."""
    host = os.environ.get("HOST") or "127.0.0.1"
    if host in EVERY_ADDRESS:
        names = ["127.0.0.1", outward_address(), socket.gethostname().lower()]
    else:
        names = [f"[{host}]" if ":" in host else host]
    return list(dict.fromkeys(filter(None, names)))


def own_url(host: str = "") -> str:
    port = os.environ.get("PORT") or "8000"
    return f"http://{host or own_hosts()[0]}:{port}"


def outward_address() -> str:
    """Return the address that other machines see; empty if there is no network."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(ELSEWHERE)
            return str(probe.getsockname()[0])
    except OSError:
        return ""

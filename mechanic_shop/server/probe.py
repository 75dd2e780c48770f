"""Ask the server of this environment whether it is up: ``python -m …server.probe``.

It ends with 1 if the answer is another one than 200, or none. Containers have no other
program to ask with.
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException

from mechanic_shop.settings.env import read_int, read_list

HEALTH = "/healthz"
PATIENCE_SECONDS = 4


def status_of_server() -> int:
    """Return the status of the answer; 0 if there is none."""
    # A wildcard in HOST is no address to ask, and loopback always belongs to it.
    port = read_int("PORT", 8000, minimum=1, maximum=65_535)
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    # The server answers to nobody who calls it by another name.
    host, *_ = read_list("ALLOWED_HOSTS", ["127.0.0.1"])
    try:
        connection.request("GET", HEALTH, headers={"Host": host.lstrip(".")})
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if status_of_server() == 200 else 1)

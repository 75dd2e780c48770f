"""Workers that die in the middle of a write, once, when a file names the moment.

``crash_settings`` installs this into a server whose environment names the file. The
product knows nothing of it.
"""

from __future__ import annotations

import os
import signal
from functools import partial, wraps
from pathlib import Path
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from mechanic_shop.api import atomic_writes, idempotency
from mechanic_shop.core.models import IdempotencyKey

from .naive_server import replace

FILE = "CRASH_FILE"
IS_FIRST = "shop.is_first_with_its_key"
#: The moments: the work is done; its answer is kept too; both are committed.
WORKED, KEPT, COMMITTED = "worked", "kept", "committed"
#: Not to be found by ``replace``.
store_at_once = partial(idempotency.store_response)


def take_over() -> None:
    """Let every keyed write look at the file after each of its steps."""
    crash_before(idempotency.store_response, WORKED)
    crash_after(idempotency.store_response, KEPT)
    crash_after(atomic_writes._commit, COMMITTED)


def crash_after(step: Any, moment: str) -> None:
    """Put a step that may be the process's last one in the place of a step."""

    @wraps(step)
    def crashing(*args: Any, **kwargs: Any) -> Any:
        done = step(*args, **kwargs)
        crash_if_told(moment)
        return done

    replace(step, crashing)


def crash_before(step: Any, moment: str) -> None:
    """Let the process end where a step would begin."""

    @wraps(step)
    def crashing(*args: Any, **kwargs: Any) -> Any:
        crash_if_told(moment)
        return step(*args, **kwargs)

    replace(step, crashing)


def crash_if_told(moment: str) -> None:
    """End this process as a power cut would; the file goes first, so others live."""
    file = Path(os.environ[FILE])
    if file.exists() and file.read_text() == moment:
        file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


# --- The naive variant ----------------------------------------------------------------


def store_keys_first() -> None:
    """Put what stores the key before the work in the place of what does it within."""
    replace(idempotency.reserve_key, reserve_key)
    replace(idempotency.find_response, find_response)
    replace(idempotency.store_response, store_nothing)


def reserve_key(view: Any, request: Request, key: str) -> int:
    """Store the response to be, in a transaction of its own, where the key is new."""
    name = idempotency._name(request, key)
    row, is_new = IdempotencyKey.objects.get_or_create(**name)
    request.META[IS_FIRST] = is_new
    if is_new:
        store_at_once(row, request, Response({}, status=201))
    return row.pk


def find_response(row: IdempotencyKey | None, request: Request) -> Response | None:
    """Believe that a key which is there stands for an effect that is there."""
    if row is None or request.META[IS_FIRST]:
        return None
    return idempotency._replay(row)


def store_nothing(*args: Any) -> None:
    """It is there already."""

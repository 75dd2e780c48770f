"""A folder in which the workers of one server add up what they count."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

#: Prometheus' client reads it in each worker.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_folder() -> Iterator[None]:
    """Name a folder for the workers, and remove it when the server ends.

    A worker that counts makes it; one that does not needs no place to write at all.
    Nobody can guess its name and be there first.
    """
    parent = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108
    folder = Path(parent, f"mechanic-shop-{token_hex(16)}")
    os.environ[VARIABLE] = str(folder)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)

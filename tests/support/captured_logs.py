"""What a logger writes in production, for tests that read it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from mechanic_shop.core.log_formatters import JsonFormatter
from mechanic_shop.core.request_id import RequestIdFilter


@contextmanager
def captured_logs(name: str) -> Iterator[list[dict[str, Any]]]:
    """Collect the records of a logger, parsed; they are there when the block ends."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(RequestIdFilter())
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    lines: list[dict[str, Any]] = []
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        lines += map(json.loads, stream.getvalue().splitlines())

"""How a log record is written: on one line whatever the input, and without secrets."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, cast

from pythonjsonlogger import json as jsonlogger
from pythonjsonlogger.core import RESERVED_ATTRS, LogData

#: The facts that every line begins with: Python's name, and the one in the line.
NAMES = {"asctime": "time", "levelname": "level", "name": "logger"}
TRACES = {"exc_info": "exception", "stack_info": "stack"}
#: Never written: asyncio's, and Django's, an object whose text holds the query string.
OTHERS = ("taskName", "request")
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
#: The first of the statuses that say that the server is to blame.
SERVER_ERROR = 500
#: Tokens of the API, whole or cut off, and those of the mailed set-password links.
TOKEN = re.compile(
    r"eyJ[\w-]{10,}(?:\.[\w-]*){0,2}|(?<![^\W_])[0-9a-z]{1,13}-[0-9a-f]{32}(?![^\W_])",
    re.ASCII,
)
#: What moves a terminal's cursor, ends a line somewhere, or turns text around.
CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)

_plain = logging.Formatter()


def conceal(text: str) -> str:
    """Replace every token: paths and third parties' messages may hold one."""
    return TOKEN.sub("[token]", text)


def escaped(text: str) -> str:
    """Spell out control characters, so that text stays on its line and only shows."""
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


class JsonFormatter(jsonlogger.JsonFormatter):
    """Write a record as one JSON object in ASCII, its extra facts under their names."""

    def __init__(self) -> None:
        super().__init__(
            [*NAMES, "message", "request_id"],
            rename_fields={**NAMES, **TRACES},
            reserved_attrs=[
                *RESERVED_ATTRS,
                *NAMES.values(),
                *TRACES.values(),
                *OTHERS,
            ],
        )

    def formatTime(self, record: logging.LogRecord, datefmt: Any = None) -> str:  # noqa: N802
        return datetime.fromtimestamp(record.created, UTC).strftime(TIME_FORMAT)

    def add_fields(
        self, log_data: LogData, record: logging.LogRecord, message_dict: LogData
    ) -> None:
        """Write a dictionary as text: its keys could replace the time or the logger."""
        record.message = record.getMessage()
        traces = {key: message_dict[key] for key in TRACES if key in message_dict}
        super().add_fields(log_data, record, traces)

    def process_log_record(self, log_data: LogData) -> LogData:
        """Conceal tokens in everything, and leave nothing that JSON does not have."""
        return cast("LogData", _simple(log_data))


class ClientErrorFilter(logging.Filter):
    """Leave out the traceback of a request that Django rejects.

    A strange host is one line: its traceback says nothing of the server.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        status: int = getattr(record, "status_code", SERVER_ERROR)
        if record.name.startswith("django.security.") or status < SERVER_ERROR:
            record.exc_info = record.exc_text = None
        return True


class LineFormatter(logging.Formatter):
    """Write a record as one line for a person, and its traceback indented below.

    Indented, because a message inside of a traceback may have line breaks too: only
    what begins in the first column is a record.
    """

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record, self.datefmt)
        lines = [escaped(conceal(self.formatMessage(record)))]
        if trace := _trace_of(record):
            lines += [f"  {escaped(line)}" for line in trace.split("\n")]
        return "\n".join(lines)


def _simple(value: Any) -> Any:
    """Bring a fact into a form that JSON has."""
    match value:
        case None | bool() | int():
            return value
        case float() if isfinite(value):
            return value
        case Mapping():
            return {conceal(str(key)): _simple(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_simple(item) for item in value]
    return conceal(str(value))


def _trace_of(record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info:
        parts.append(_plain.formatException(record.exc_info))
    if record.stack_info:
        parts.append(_plain.formatStack(record.stack_info))
    return conceal("\n".join(parts))

"""What the server has written, for those who have to find something in it."""

from __future__ import annotations

import json
import re
from typing import Any

Record = dict[str, Any]

#: The lines of gunicorn, and Python's warnings with their source.
NOT_OURS = re.compile(
    r"\[[-\d: +]+\] \[\d+\] \[[A-Z]+\] |/\S+\.py:\d+: \w*Warning: |  \S"
)


def records_of(log: str) -> list[Record]:
    """Return the records of a log, oldest first.

    :raises AssertionError: if a line is neither a record nor the server program's own
    """
    ours = [line for line in log.splitlines() if not NOT_OURS.match(line)]
    strange = [line for line in ours if _parsed(line) is None]
    assert not strange, f"These lines are no JSON: {strange}"
    return [json.loads(line) for line in ours]


def events_of(log: str, event: str) -> list[Record]:
    """Return the records of one kind of event in the security log.

    A shop that others use too may have written mail in between, which is no JSON.
    """
    records = [_parsed(line) for line in log.splitlines()]
    return [
        record
        for record in records
        if record and (record["logger"], record["message"]) == ("security", event)
    ]


def _parsed(line: str) -> Record | None:
    """Return the record that a line holds, if it is one."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    known = {"time", "level", "logger", "message"}
    if not isinstance(record, dict) or not known <= record.keys():
        return None
    return record

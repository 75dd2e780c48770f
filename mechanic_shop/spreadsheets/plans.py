"""A plan as the page of an import shows it, in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .resource import ImportResource, ImportResult, ImportRowResult, fingerprint

MAX_ROWS_SHOWN = 200
MAX_SHOWN = 60
#: The rows of one transaction, where a worker imports. SQLite lets nobody else write
#: meanwhile, and a cluster sends all of it to each node at once.
CHUNK_ROWS = 100


def describe(resource: ImportResource, result: ImportResult) -> dict[str, Any]:
    """Return what the page shows, and the fingerprint by which it is confirmed."""
    rows = result.changed_rows
    problems = list(_problems(resource, result))
    return {
        "total": result.total_rows,
        "counts": resource.count(result),
        "row_count": len(rows),
        "rows": [_row(resource, row) for row in rows[:MAX_ROWS_SHOWN]],
        "problem_count": len(problems),
        "problems": problems[:MAX_ROWS_SHOWN],
        "rejections": result.rejections,
        "can_confirm": bool(rows) and result.is_valid,
        "fingerprint": fingerprint(result.rows),
        "chunks": [
            fingerprint(result.rows[start : start + CHUNK_ROWS])
            for start in range(0, len(result.rows), CHUNK_ROWS)
        ],
        "summary": resource.summarize(result),
    }


def _row(resource: ImportResource, row: ImportRowResult) -> dict[str, Any]:
    title, subtitle = resource.title_of(row.instance)
    return {
        "number": row.number,
        "is_new": row.is_new(),
        "title": title,
        "subtitle": subtitle,
        "changes": [
            [change.column.column_name, _short(change.old), _short(change.new)]
            for change in row.changes
            if (change.old or change.new)
            and not (row.is_new() and change.column.is_title)
        ],
    }


def _problems(
    resource: ImportResource, result: ImportResult
) -> Iterator[dict[str, Any]]:
    """Name row, column and value of each mistake."""
    headings = {column.attribute: column.column_name for column in resource.columns}
    for row in result.invalid_rows:
        for name, messages in row.error_dict.items():
            heading = headings.get(name, "")
            for message in messages:
                yield {
                    "row": row.number,
                    "column": heading,
                    "value": str(row.values.get(heading, "")),
                    "message": message,
                }


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"

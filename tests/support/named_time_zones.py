"""A database that knows no names of time zones, which is how MySQL and MariaDB come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: What Django calls for a part of a time: functions of MySQL, and its own of SQLite.
FUNCTIONS = ("CONVERT_TZ", "django_datetime_")


class NamedTimeZone(AssertionError):
    """A statement whose result depends on the time zone tables of the server."""


def reject_named_time_zones(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
) -> Any:
    """:raises NamedTimeZone: for a statement that needs these tables"""
    if any(function in sql for function in FUNCTIONS):
        raise NamedTimeZone(sql)
    return execute(sql, params, many, context)

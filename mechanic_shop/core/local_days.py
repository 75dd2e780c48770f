"""Days, months and years of the shop's time zone, as moments.

The database is never asked for them: it would need the names of time zones, which MySQL
and MariaDB know only after somebody has loaded them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.utils import timezone

DECEMBER = 12


class Period(NamedTuple):
    """From ``start`` on, and before ``end``."""

    start: datetime
    end: datetime


def start_of_day(day: date) -> datetime:
    """Return the first moment of a local day.

    Where the clocks skip midnight the day begins later, at 1 o'clock in most places. A
    day that was skipped as a whole begins with the next one.
    """
    zone = timezone.get_current_timezone()
    midnight = datetime.combine(day, time.min, tzinfo=zone)
    # Through UTC, because a time that the clocks skipped has no place in the zone.
    return midnight.astimezone(UTC).astimezone(zone)


def period(year: int, month: int | None = None, day: int | None = None) -> Period:
    """Return a local year, month or day.

    :raises ValueError: if there is no such date, or it is beyond the calendar
    """
    try:
        first = date(year, month or 1, day or 1)
        return Period(start_of_day(first), start_of_day(_next(first, month, day)))
    except OverflowError as error:
        raise ValueError("The date is beyond the calendar.") from error


def _next(first: date, month: int | None, day: int | None) -> date:
    if day:
        return first + timedelta(days=1)
    if month and month < DECEMBER:
        return first.replace(month=month + 1)
    return date(first.year + 1, 1, 1)

"""Rows get the dates of the past: a time line of the shop's opening hours.

The line counts working minutes: 0 is closing time on the last working day before today
and every earlier minute is negative, so a story that is told in minutes never works at
night or on a Sunday, and is the same on whatever day the data are made.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Model
from django.utils import timezone

SUNDAY = 6
CLOSING_TIME = time(18)
DAY = 600  # minutes from 8:00 to closing time
WEEK = 6 * DAY
DAYS_BACK = 900


class Past:
    """Remembers when in this run which minute of the past was played.

    The services date everything today. With these notes each row's time tells in which
    minute it was written, so that all of them can be dated back in the end.
    """

    def __init__(self) -> None:
        self._days = _working_days_before(timezone.localdate())
        self._played_at: list[datetime] = []
        self._minutes: list[int] = []

    def play(self, minute: int) -> None:
        """Take what is written from now on as written in that minute."""
        self._played_at.append(_next_tick())
        self._minutes.append(minute)

    def minute_of(self, written_at: datetime) -> int:
        """Translate a time of this run into the minute that was being played."""
        return self._minutes[bisect_right(self._played_at, written_at) - 1]

    def moment(self, minute: int) -> datetime:
        """Translate a minute of the time line into a time of the calendar."""
        days, minutes = divmod(-minute, DAY)
        closing = datetime.combine(
            self._days[days], CLOSING_TIME, timezone.get_current_timezone()
        )
        return closing - timedelta(minutes=minutes)

    def backdate(self, model: type[Model], names: Iterable[str]) -> None:
        """Replace the times of this run in a table that this run has filled."""
        rows = list(model._default_manager.order_by("pk"))
        for row in rows:
            for name in names:
                self._backdate_value(row, name)
        model._default_manager.bulk_update(rows, names, batch_size=200)

    def _backdate_value(self, row: Any, name: str) -> None:
        written_at = getattr(row, name)
        if written_at is not None and written_at >= self._played_at[0]:
            setattr(row, name, self.moment(self.minute_of(written_at)))


def _working_days_before(today: date) -> list[date]:
    days = (today - timedelta(days=back) for back in range(1, DAYS_BACK))
    return [day for day in days if day.weekday() != SUNDAY]


def _next_tick() -> datetime:
    """Wait until the clock shows a time that no row carries yet."""
    before = timezone.now()
    while (now := timezone.now()) == before:
        pass
    return now

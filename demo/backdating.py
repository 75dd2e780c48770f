"""Backdate rows to a timeline of the shop's opening hours.

The timeline counts working minutes: 0 is closing time on the last working day before
today, and earlier minutes are negative. So nothing happens at night or on a Sunday, and
the data are the same on whatever day they are created.
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


class Timeline:
    """Records at which time of this run each minute of the timeline started.

    The services give rows the present time. From that time and these records follows
    the minute in which a row was written, so that all rows can be backdated at the end.
    """

    def __init__(self) -> None:
        self._days = _working_days_before(timezone.localdate())
        self._started_at: list[datetime] = []
        self._minutes: list[int] = []

    def start_minute(self, minute: int) -> None:
        """Let all rows that are written from now on belong to that minute."""
        self._started_at.append(_wait_for_next_timestamp())
        self._minutes.append(minute)

    def minute_of(self, written_at: datetime) -> int:
        """Return the minute of the timeline that was running at a time of this run."""
        return self._minutes[bisect_right(self._started_at, written_at) - 1]

    def to_datetime(self, minute: int) -> datetime:
        """Convert a minute of the timeline into a date and time."""
        days, minutes = divmod(-minute, DAY)
        closing = datetime.combine(
            self._days[days], CLOSING_TIME, timezone.get_current_timezone()
        )
        return closing - timedelta(minutes=minutes)

    def backdate(self, model: type[Model], names: Iterable[str]) -> None:
        """Replace the times of this run in all rows of a model."""
        rows = list(model._default_manager.order_by("pk"))
        for row in rows:
            for name in names:
                self._backdate_value(row, name)
        model._default_manager.bulk_update(rows, names, batch_size=200)

    def _backdate_value(self, row: Any, name: str) -> None:
        written_at = getattr(row, name)
        if written_at is not None and written_at >= self._started_at[0]:
            setattr(row, name, self.to_datetime(self.minute_of(written_at)))


def _working_days_before(today: date) -> list[date]:
    days = (today - timedelta(days=back) for back in range(1, DAYS_BACK))
    return [day for day in days if day.weekday() != SUNDAY]


def _wait_for_next_timestamp() -> datetime:
    """Wait until the clock shows a time that no row has yet."""
    before = timezone.now()
    while (now := timezone.now()) == before:
        pass
    return now

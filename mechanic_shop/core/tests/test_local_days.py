from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from mechanic_shop.core.local_days import period, start_of_day

#: Places where the clocks skipped or repeated midnight, an hour, half an hour or a day.
ZONES = {
    "UTC": 2026,
    "America/New_York": 2026,
    "America/Sao_Paulo": 2018,
    "America/Asuncion": 2023,
    "America/Havana": 2026,
    "Africa/Cairo": 2026,
    "Asia/Beirut": 2026,
    "Australia/Lord_Howe": 2026,
    "Asia/Kathmandu": 2026,
    "Pacific/Apia": 2011,
}
JUST_BEFORE = timedelta(microseconds=1)


@pytest.fixture(params=ZONES.items(), ids=list(ZONES))
def year(request: pytest.FixtureRequest) -> Iterator[int]:
    zone, year = request.param
    with timezone.override(zone):
        yield year


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=number) for number in range(366)]


class TestStartOfDay:
    def test_every_moment_belongs_to_one_day(self, year: int) -> None:
        for day in days_of(year):
            start = start_of_day(day).astimezone(UTC)

            assert timezone.localdate(start - JUST_BEFORE) < day
            assert timezone.localdate(start) >= day
            assert start <= start_of_day(day + timedelta(days=1))

    def test_only_a_skipped_day_begins_on_another(self, year: int) -> None:
        moved = [
            day for day in days_of(year) if timezone.localdate(start_of_day(day)) != day
        ]

        in_apia = timezone.get_current_timezone_name() == "Pacific/Apia"
        assert moved == ([date(2011, 12, 30)] if in_apia else [])


class TestSkippedMidnight:
    @pytest.mark.parametrize(
        ("zone", "day", "start"),
        [
            ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T01:00:00-02:00"),
            ("Africa/Cairo", date(2026, 4, 24), "2026-04-24T01:00:00+03:00"),
            ("Asia/Beirut", date(2026, 3, 29), "2026-03-29T01:00:00+03:00"),
            ("America/Havana", date(2026, 3, 8), "2026-03-08T01:00:00-04:00"),
            ("Pacific/Apia", date(2011, 12, 30), "2011-12-31T00:00:00+14:00"),
            ("America/New_York", date(2026, 3, 8), "2026-03-08T00:00:00-05:00"),
        ],
    )
    def test_day_begins_with_its_first_moment(
        self, zone: str, day: date, start: str
    ) -> None:
        with timezone.override(zone):
            assert start_of_day(day).isoformat() == start


class TestPeriod:
    @pytest.mark.parametrize(
        ("asked", "end"),
        [
            ((2026,), datetime(2027, 1, 1, 5, tzinfo=UTC)),
            ((2026, 12), datetime(2027, 1, 1, 5, tzinfo=UTC)),
            ((2026, 2), datetime(2026, 3, 1, 5, tzinfo=UTC)),
            ((2026, 3, 8), datetime(2026, 3, 9, 4, tzinfo=UTC)),
        ],
    )
    def test_ends_where_the_next_one_begins(
        self, asked: tuple[int, ...], end: datetime
    ) -> None:
        with timezone.override("America/New_York"):
            assert period(*asked).end == end

    @pytest.mark.parametrize(
        "asked", [(0,), (9999,), (10**30,), (2026, 13), (2026, 2, 30)]
    )
    def test_rejects_what_is_no_date(self, asked: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match=r"."):
            period(*asked)

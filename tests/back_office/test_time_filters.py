"""Lists narrowed by time, in the shop's time zone and without the database's help."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from inventory.models import StockMovement
from mechanic_shop.accounts.models import Session, User
from tests.support.back_office import fill_shop, text_of, url
from tickets.models import ServiceTicket, TicketEvent, TicketPart

pytestmark = pytest.mark.django_db

LISTS: dict[type[Model], str] = {
    ServiceTicket: "opened_at",
    TicketEvent: "at",
    TicketPart: "installed_at",
    StockMovement: "at",
    Session: "created_at",
}
#: 4 March in UTC, and still 3 March in New York.
LATE = datetime(2026, 3, 4, 3, 30, tzinfo=UTC)
EARLY = datetime(2024, 7, 31, 16, tzinfo=UTC)


@pytest.fixture(params=LISTS.items(), ids=lambda item: item[0]._meta.label)
def listed(
    request: pytest.FixtureRequest, boss: User, settings: LazySettings
) -> tuple[type[Model], str]:
    """Two rows of a model in New York: one late on 3 March 2026, an older one."""
    settings.TIME_ZONE = "America/New_York"
    fill_shop(boss, 1, 3)
    model, name = request.param
    older, newer = model._default_manager.order_by("pk")[:2]
    model._default_manager.exclude(pk__in=[older.pk, newer.pk]).delete()
    set_time(older, name, EARLY)
    set_time(newer, name, LATE)
    return model, name


def set_time(row: Model, name: str, at: datetime) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**{name: at})


def found(desk: Client, model: type[Model], **filters: Any) -> list[datetime]:
    """Return the times of the rows that a list shows, the newest first."""
    response = desk.get(url(model, "changelist"), filters)
    assert response.status_code == 200
    return [getattr(row, LISTS[model]) for row in response.context["cl"].result_list]


def links(desk: Client, model: type[Model], **filters: Any) -> list[tuple[str, str]]:
    response = desk.get(url(model, "changelist"), filters)
    specs = response.context["cl"].filter_specs
    [hierarchy] = [spec for spec in specs if getattr(spec, "is_hierarchy", False)]
    return [(link.title, link.link) for link in hierarchy.drill_down()]


class TestBookmarkedPeriods:
    @pytest.mark.parametrize(
        ("period", "expected"),
        [
            ({}, [LATE, EARLY]),
            ({"year": 2026}, [LATE]),
            ({"year": 2026, "month": 3}, [LATE]),
            ({"year": 2026, "month": 3, "day": 3}, [LATE]),
            ({"year": 2026, "month": 3, "day": 4}, []),
            ({"year": 2024, "month": 7, "day": 31}, [EARLY]),
            ({"year": 2025}, []),
            ({"month": 7}, [EARLY]),
            ({"day": 31}, [EARLY]),
            ({"month": 3, "day": 3}, [LATE]),
        ],
        ids=str,
    )
    def test_show_the_rows_of_the_shops_days(
        self,
        desk: Client,
        listed: tuple[type[Model], str],
        period: dict[str, int],
        expected: list[datetime],
    ) -> None:
        model, name = listed
        filters = {f"{name}__{part}": number for part, number in period.items()}

        assert found(desk, model, **filters) == expected

    @pytest.mark.parametrize(
        "period",
        [{"year": 0}, {"year": 10**6}, {"year": 2026, "month": 13}, {"month": "x"}],
        ids=str,
    )
    def test_that_cannot_be_are_left_out_with_a_word(
        self, desk: Client, period: dict[str, Any]
    ) -> None:
        filters = {f"opened_at__{part}": number for part, number in period.items()}

        response = desk.get(url(ServiceTicket, "changelist"), filters)

        assert response["Location"].endswith("?e=1")


class TestDrillDown:
    def test_goes_from_years_to_months_to_days(
        self, desk: Client, listed: tuple[type[Model], str]
    ) -> None:
        model, name = listed

        years = links(desk, model)
        months = links(desk, model, **{f"{name}__year": 2024})
        days = links(desk, model, **{f"{name}__year": 2024, f"{name}__month": 2})

        this_year = timezone.localdate().year
        assert [title for title, _ in years] == [
            str(year) for year in range(2024, this_year + 1)
        ]
        assert months[6] == ("July 2024", f"?{name}__year=2024&{name}__month=7")
        assert days[-1][0] == "29 Feb"

    def test_shows_links_and_a_way_back(self, desk: Client) -> None:
        path = url(ServiceTicket, "changelist")
        filters = {"opened_at__year": 2026, "opened_at__month": 3, "priority": 1}

        page = text_of(desk.get(path, filters))

        assert 'href="?priority=1&amp;opened_at__year=2026"' in page
        assert "31 Mar" in page

    def test_reads_one_row_whatever_the_list_holds(
        self, desk: Client, boss: User, django_assert_num_queries: Any
    ) -> None:
        fill_shop(boss, 1, 2)
        counted = [len(links(desk, TicketEvent, at__year=2026))]
        fill_shop(boss, 2, 12)

        assert len(links(desk, TicketEvent, at__year=2026)) == counted[0]


class TestPartsOfTimes:
    def test_other_parts_of_a_time_are_no_filters(self, desk: Client) -> None:
        path = url(ServiceTicket, "changelist")

        assert desk.get(path, {"closed_at__month": 3}).status_code == 400
        assert desk.get(path, {"opened_at__date": "2026-03-03"}).status_code == 400

"""Filter lists by a time, and drill down from years to months and days.

Django's ``date_hierarchy`` asks the database for the years, months and days of all
rows, in a time zone whose name MySQL and MariaDB may not know.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from django.contrib.admin import DateFieldListFilter, FieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import DateTimeField, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format

from mechanic_shop.core.local_days import DECEMBER, period

PARTS = ("year", "month", "day")
#: What databases compute of a moment in the shop's time zone. The bounds of a year
#: are computed by Django.
TRANSFORMS = {"date", "time", "month", "day", "week", "week_day", "quarter", "hour"}
TRANSFORMS |= {"minute", "second", "iso_week_day", "iso_year"}


class Link(NamedTuple):
    title: str
    #: None where the list is there already.
    link: str | None = None


class PeriodFilter(DateFieldListFilter):
    """Django's filter, which also takes ``__year``, ``__month`` and ``__day``."""

    def __init__(
        self,
        field: DateTimeField,
        request: HttpRequest,
        params: dict[str, Any],
        model: Any,
        model_admin: Any,
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self.rows = model._default_manager.all()
        self.query = request.GET
        self.is_hierarchy = model_admin.drill_down == field_path
        self.year, self.month, self.day = map(self._chosen, PARTS)

    def _chosen(self, part: str) -> int | None:
        value: Any = self.used_parameters.pop(self._name(part), None)
        if value is None:
            return None
        try:
            number = int(value[-1])
            if part == "year":
                period(number)
        except ValueError as error:
            raise IncorrectLookupParameters(error) from error
        return number

    def expected_parameters(self) -> list[str | None]:
        return [*super().expected_parameters(), *map(self._name, PARTS)]

    def _name(self, part: str) -> str:
        return f"{self.field_path}__{part}"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        rows: Any = super().queryset(request, queryset)
        if self.year is self.month is self.day is None:
            return rows
        try:
            return rows.filter(self._condition())
        except ValueError as error:
            raise IncorrectLookupParameters(error) from error

    def _condition(self) -> Q:
        """Join the periods of all years where no year is named."""
        years = self._years() if self.year is None else [self.year]
        months = range(1, DECEMBER + 1) if self.day and not self.month else [self.month]
        condition = Q(pk__in=[])
        for year in years:
            for month in months:
                condition |= self._within(year, month)
        return condition

    def _within(self, year: int, month: int | None) -> Q:
        try:
            start, end = period(year, month, self.day)
        except ValueError:
            if self.day is None or (self.year and self.month):
                raise
            return Q(pk__in=[])  # not every month has 31 days
        return Q(**{f"{self.field_path}__gte": start, f"{self.field_path}__lt": end})

    def _years(self) -> list[int]:
        """List the years from that of the oldest row, in one query for one row."""
        times = self.rows.order_by("pk").values_list(self.field_path, flat=True)
        oldest = times.exclude(**{self.field_path: None}).first()
        today = timezone.localdate()
        first = today if oldest is None else timezone.localdate(oldest)
        return list(range(min(first, today).year, today.year + 1))

    def back(self) -> Link | None:
        """Return the link to the next wider period."""
        if self.year is None:
            return None
        if self.month is None:
            return Link("All dates", self._link())
        if self.day is None:
            return Link(str(self.year), self._link(self.year))
        month = date_format(date(self.year, self.month, 1), "YEAR_MONTH_FORMAT")
        return Link(month, self._link(self.year, self.month))

    def drill_down(self) -> list[Link]:
        """Return the links to the narrower periods, empty ones among them."""
        return list(self._narrower()) if self.is_hierarchy else []

    def _narrower(self) -> Iterator[Link]:
        if self.year is None:
            for year in self._years():
                yield Link(str(year), self._link(year))
        elif self.month is None:
            today = timezone.localdate()
            last = today.month if self.year == today.year else DECEMBER
            for month in range(1, last + 1):
                title = date_format(date(self.year, month, 1), "YEAR_MONTH_FORMAT")
                yield Link(title, self._link(self.year, month))
        elif self.day is None:
            yield from self._days(self.year, self.month)
        else:
            day = date(self.year, self.month, self.day)
            yield Link(date_format(day, "MONTH_DAY_FORMAT"))

    def _days(self, year: int, month: int) -> Iterator[Link]:
        for number in range(1, monthrange(year, month)[1] + 1):
            title = date_format(date(year, month, number), "MONTH_DAY_FORMAT")
            yield Link(title, self._link(year, month, number))

    def _link(self, *numbers: int) -> str:
        query = self.query.copy()
        for name in [*query]:
            if name == "p" or name.startswith(self.field_generic):
                del query[name]
        for part, number in zip(PARTS, numbers, strict=False):
            query[self._name(part)] = str(number)
        return f"?{query.urlencode()}"


FieldListFilter.register(
    lambda field: isinstance(field, DateTimeField), PeriodFilter, take_priority=True
)


def needs_time_zone_tables(model: Any, lookup: str) -> bool:
    """Return whether the database itself would have to know the shop's time zone."""
    name, _, rest = lookup.partition("__")
    field = next((field for field in model._meta.fields if field.name == name), None)
    return isinstance(field, DateTimeField) and rest.split("__")[0] in TRANSFORMS

"""The stock movements in the admin, and the stock chart on a part's page."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Max, Min, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format

from inventory.models import MovementReason, Part, StockMovement
from mechanic_shop.admin import (
    ReadOnlyAdminMixin,
    ReadOnlyInline,
    ShopModelAdmin,
    badge_column,
)
from mechanic_shop.admin.export import ExportMixin
from mechanic_shop.admin.people import by_name
from mechanic_shop.admin.sidebar import link_to_list
from mechanic_shop.core.local_days import start_of_day

#: More points would not make the chart more readable.
MAX_POINTS = 200
DAYS_PER_YEAR = 365

#: Options of Chart.js. The stock axis begins at zero and shows whole units.
CHART_OPTIONS: dict[str, Any] = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "datasets": {"line": {"pointStyle": False}},
    "plugins": {"legend": {"display": False}},
    "scales": {
        "x": {
            "border": {"width": 0},
            "grid": {"display": False},
            "ticks": {"color": "#9ca3af", "maxTicksLimit": 8, "maxRotation": 0},
        },
        "y": {
            "beginAtZero": True,
            "border": {"width": 0},
            "grid": {"lineWidth": 1, "tickWidth": 0},
            "ticks": {"color": "#9ca3af", "maxTicksLimit": 6, "precision": 0},
        },
    },
}

REASON_COLORS = {
    MovementReason.RECEIVE.label: "success",
    MovementReason.RETURN.label: "success",
    MovementReason.INSTALL.label: "info",
    MovementReason.COUNT.label: "warning",
    MovementReason.ADJUST.label: "warning",
}


@admin.display(description="Change", ordering="delta")
def signed_delta(movement: StockMovement) -> str:
    return f"{movement.delta:+,}"


@badge_column("Reason", REASON_COLORS, ordering="reason")
def reason_badge(movement: StockMovement) -> str:
    return movement.get_reason_display()


class MovementInline(ReadOnlyInline):
    model = StockMovement
    fields = readonly_fields = (
        "at",
        signed_delta,
        "quantity_after",
        "reason",
        "ticket",
        "note",
        by_name,
    )
    verbose_name_plural = "movements"
    template_before = "inventory/stock_chart.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockMovement]:
        movements: QuerySet[StockMovement] = super().get_queryset(request)
        return movements.select_related("ticket", "by")


link_to_list(StockMovement, section="Inventory", icon="swap_vert", order=51)


@admin.register(StockMovement)
class StockMovementAdmin(ExportMixin, ReadOnlyAdminMixin, ShopModelAdmin):
    list_display = (
        "at",
        "part",
        signed_delta,
        "quantity_after",
        reason_badge,
        "ticket",
        by_name,
        "note",
    )
    export_columns = (
        "at",
        "part_number",
        "part_name",
        "delta",
        "quantity_after",
        "reason",
        "ticket",
        "by",
        "note",
    )
    list_filter = ("reason", "at")
    list_select_related = ("part", "ticket", "by")
    search_fields = ("part__search_text", "note")
    drill_down = "at"
    ordering = ("-pk",)
    fields = (
        "at",
        "part",
        signed_delta,
        "quantity_after",
        "reason",
        "ticket",
        "note",
        by_name,
    )
    readonly_fields = (signed_delta, by_name)

    @admin.display(description="Part number")
    def part_number(self, movement: StockMovement) -> str:
        return movement.part.part_number

    @admin.display(description="Part")
    def part_name(self, movement: StockMovement) -> str:
        return movement.part.name


def stock_chart(part: Part) -> dict[str, Any] | None:
    """Return the chart of a part's stock at the end of each day, in three queries."""
    first = part.movements.aggregate(at=Min("at"), pk=Min("pk"))
    if first["at"] is None:
        return None
    drawn = days_between(timezone.localdate(first["at"]), timezone.localdate())
    last_pks = [pk or first["pk"] for pk in _last_movement_by(part, drawn)]
    rows = StockMovement.objects.filter(pk__in=set(last_pks))
    left = dict(rows.values_list("pk", "quantity_after"))
    levels = [left[pk] for pk in last_pks]
    return {
        "data": json.dumps(_chart_data(part, drawn, levels)),
        "options": json.dumps(CHART_OPTIONS),
        "since": drawn[0],
        "lowest": min(levels),
        "highest": max(levels),
    }


def _last_movement_by(part: Part, days: list[date]) -> list[int | None]:
    """Return the id of the last movement before the end of each day."""
    found = part.movements.order_by().aggregate(
        **{
            str(day): Max("pk", filter=Q(at__lt=start_of_day(day + timedelta(days=1))))
            for day in days
        }
    )
    return [found[str(day)] for day in days]


def days_between(first: date, last: date) -> list[date]:
    """List the days, or every n-th of them; the last day is always in.

    A part that was added today is drawn from yesterday on: a line needs two points.
    """
    first = min(first, last - timedelta(days=1))
    step = (last - first).days // MAX_POINTS + 1
    return [
        last - timedelta(days=back)
        for back in range((last - first).days // step * step, -1, -step)
    ]


def _chart_data(part: Part, days: list[date], levels: list[int]) -> dict[str, Any]:
    """Return the labels and data sets in the form that Chart.js takes."""
    stock = {
        "label": "In stock",
        "data": levels,
        "borderColor": "var(--color-primary-500)",
        "borderWidth": 2,
        "stepped": "before",
    }
    reorder = {
        "label": "Reorder level",
        "data": [part.reorder_level] * len(days),
        "borderColor": "#f97316",
        "borderWidth": 1,
        "borderDash": [4, 4],
    }
    short = (days[-1] - days[0]).days < DAYS_PER_YEAR
    label_format = "MONTH_DAY_FORMAT" if short else "DATE_FORMAT"
    labels = [date_format(day, label_format) for day in days]
    return {"labels": labels, "datasets": [stock, reorder]}

"""Tickets opened and closed on each of the last days."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from tickets.models import (
    ServiceTicket,
)

from .card import Figures

DAYS = 30


def tickets_chart() -> Figures:
    """Count the tickets opened and closed on each of the last days.

    The days are computed in Python: MySQL has no time zones until their tables are
    loaded.
    """
    today = timezone.localdate()
    days = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    first = timezone.now() - timedelta(days=DAYS)
    recent = ServiceTicket.objects.filter(
        Q(opened_at__gte=first) | Q(closed_at__gte=first)
    )
    times = list(recent.order_by().values_list("opened_at", "closed_at"))
    opened = _per_day(days, [opened_at for opened_at, _ in times])
    closed = _per_day(days, [closed_at for _, closed_at in times if closed_at])
    return {
        "data": json.dumps(_chart_data(days, opened, closed)),
        "options": json.dumps(CHART_OPTIONS),
        "rows": list(zip(days, opened, closed, strict=True)),
        "opened": sum(opened),
        "closed": sum(closed),
    }


def _per_day(days: list[date], times: list[datetime]) -> list[int]:
    counts = Counter(timezone.localdate(moment) for moment in times)
    return [counts[day] for day in days]


def _chart_data(days: list[date], opened: list[int], closed: list[int]) -> Figures:
    def bars(label: str, data: list[int], color: str) -> Figures:
        fill = f"var(--color-{color})"
        return {
            "label": label,
            "data": data,
            "backgroundColor": fill,
            "borderRadius": 3,
            "categoryPercentage": 0.7,
            "barPercentage": 0.9,
        }

    return {
        "labels": [f"{day:%b} {day.day}" for day in days],
        "datasets": [
            bars("Opened", opened, "primary-500"),
            bars("Closed", closed, "green-500"),
        ],
    }


_TICKS = {"color": "#8a93a3", "maxRotation": 0, "precision": 0}
CHART_OPTIONS: Figures = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {"legend": {"display": False}},
    "scales": {
        "x": {
            "grid": {"display": False},
            "border": {"display": False},
            "ticks": {**_TICKS, "maxTicksLimit": 10},
        },
        "y": {
            "beginAtZero": True,
            "suggestedMax": 4,
            "grid": {"tickLength": 0},
            "border": {"display": False, "dash": [4, 4]},
            "ticks": {**_TICKS, "maxTicksLimit": 5, "padding": 8},
        },
    },
}

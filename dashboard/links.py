"""Links to the rows behind a figure, and the start of the current week."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from mechanic_shop.core import local_days
from tickets.models import ServiceTicket, TicketStatus


def start_of_week() -> datetime:
    """Return the first moment of this Monday, in the shop's time zone."""
    return local_days.start_of_week(timezone.localdate())


def changelist_url(model: type[Model], **filters: Any) -> str:
    """Link to a model's list, with the filters that its page understands."""
    meta = model._meta
    path = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{path}?{urlencode(filters)}" if filters else path


def change_url(row: Model) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def tickets_url(status: TicketStatus, **filters: Any) -> str:
    """Link to the tickets of one status; of completed ones, to this week's."""
    if status == TicketStatus.COMPLETED:
        filters["closed_at__gte"] = start_of_week().isoformat(" ")
    return changelist_url(ServiceTicket, status__exact=status.value, **filters)


def board_url(**filters: Any) -> str:
    path = reverse("admin:tickets_serviceticket_board")
    return f"{path}?{urlencode(filters)}" if filters else path

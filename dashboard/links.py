"""Links to the rows behind a figure."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from django.urls import reverse

from tickets.models import ServiceTicket, TicketStatus


def changelist_url(model: type[Model], **filters: Any) -> str:
    """Link to a model's list, with the filters that its page understands."""
    meta = model._meta
    path = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{path}?{urlencode(filters)}" if filters else path


def change_url(row: Model) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def tickets_url(status: TicketStatus, **filters: Any) -> str:
    """Link to the tickets of one status; of completed ones, to those ready."""
    if status == TicketStatus.COMPLETED:
        filters["handed_over_at__isnull"] = True
    return changelist_url(ServiceTicket, status__exact=status.value, **filters)


def board_url(**filters: Any) -> str:
    path = reverse("admin:tickets_serviceticket_board")
    return f"{path}?{urlencode(filters)}" if filters else path

"""The summary above a ticket's tabs: customer, vehicle, priority, totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince

from mechanic_shop.core.money import format_cents
from tickets.models import ServiceTicket, TicketPart, TicketStatus

from .permissions import SEE_COSTS

Status = TicketStatus

STATUS_COLORS = {
    Status.OPEN.label: "info",
    Status.IN_PROGRESS.label: "primary",
    Status.WAITING.label: "warning",
    Status.COMPLETED.label: "success",
    Status.CANCELLED.label: "danger",
}
PRIORITY_WORDS = {1: "Urgent", 2: "High", 3: "Normal", 4: "Low", 5: "Lowest"}
PRIORITY_COLORS = {1: "danger", 2: "warning"}
PRIORITY_BADGES = {PRIORITY_WORDS[at]: color for at, color in PRIORITY_COLORS.items()}


@dataclass(frozen=True)
class Totals:
    """The totals of the parts on a ticket, formatted as text.

    ``cost`` and ``margin`` are None without the permission to see costs.
    """

    price: str
    cost: str | None
    margin: str | None


def calculate_totals(request: HttpRequest, lines: list[TicketPart]) -> Totals:
    """Add up the lines, without parts that were returned."""
    kept = [line for line in lines if line.returned_at is None]
    price = sum(line.total_cost_cents for line in kept)
    if not request.user.has_perms(SEE_COSTS):
        return Totals(format_cents(price), None, None)
    cost = sum(line.unit_cost_cents * line.quantity_used for line in kept)
    return Totals(format_cents(price), format_cents(cost), format_cents(price - cost))


def summary_context(request: HttpRequest, ticket: ServiceTicket) -> dict[str, Any]:
    """Return the template context of the summary, as far as the user may see it."""
    sees_phone = request.user.has_perm("customers.view_customer")
    return {
        "status": ticket.get_status_display(),
        "status_color": STATUS_COLORS[str(ticket.get_status_display())],
        "priority": PRIORITY_WORDS[ticket.priority],
        "priority_color": PRIORITY_COLORS.get(ticket.priority, ""),
        "pickup": pickup_label(ticket),
        "age": format_duration(ticket),
        "customer_url": change_url(request, ticket.customer, erased=_is_erased(ticket)),
        "vehicle_url": change_url(request, ticket.vehicle, erased=_is_erased(ticket)),
        "phone": ticket.customer.phone if sees_phone else "",
        "print_url": reverse("admin:tickets_serviceticket_print", args=[ticket.pk]),
    }


def pickup_label(ticket: ServiceTicket) -> str:
    """Say where a finished vehicle is; "" while it is being worked on."""
    if ticket.handed_over_at:
        return f"Handed over {date_format(timezone.localtime(ticket.handed_over_at))}"
    return "Ready" if ticket.is_ready else ""


def format_duration(ticket: ServiceTicket) -> str:
    """Format how long a ticket has been, or was, in the shop."""
    end = ticket.closed_at or timezone.now()
    took = timesince(ticket.opened_at, end, depth=1)
    return f"{ticket.get_status_display()} after {took}" if ticket.closed_at else took


def change_url(request: HttpRequest, row: Model, *, erased: bool = False) -> str:
    """Return the URL of a row's page, or "" if the user may not open it."""
    meta = row._meta
    if erased or not request.user.has_perm(f"{meta.app_label}.view_{meta.model_name}"):
        return ""
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def _is_erased(ticket: ServiceTicket) -> bool:
    return ticket.customer.erased_at is not None

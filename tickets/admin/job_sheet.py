"""The job sheet of a ticket, to be printed and put into the vehicle."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from customers.models import Customer
from tickets.models import ServiceTicket, TicketEventKind

from .summary import PRIORITY_WORDS, calculate_totals


def print_job_sheet(
    request: HttpRequest, object_id: int, model_admin: Any = None
) -> HttpResponse:
    """Render a ticket as a printable page.

    It shows what the customer pays, and no unit costs and markups: the sheet stays in
    the vehicle.
    """
    ticket: ServiceTicket = model_admin.get_visible_object(request, str(object_id))
    lines = list(ticket.ticket_parts.all())
    sees_customer = request.user.has_perm("customers.view_customer")
    context = {
        **model_admin.admin_site.each_context(request),
        "ticket": ticket,
        "shop_name": settings.SHOP_NAME,
        "shop_logo": getattr(settings, "SHOP_LOGO", ""),
        "priority": PRIORITY_WORDS[ticket.priority],
        "mechanics": ticket.ticket_mechanics.select_related("mechanic").order_by("pk"),
        "lines": sorted(lines, key=lambda line: line.pk),
        "parts_total": calculate_totals(request, lines).price,
        "sees_customer": sees_customer,
        "address": address_lines(ticket.customer) if sees_customer else [],
        "notes": ticket.events.filter(
            kind=TicketEventKind.NOTE, visible_to_customer=True
        ).order_by("pk"),
        "sees_vehicle": request.user.has_perm("customers.view_vehicle"),
        "printed_at": timezone.now(),
    }
    return render(request, "admin/tickets/serviceticket/print.html", context)


def address_lines(customer: Customer) -> list[str]:
    place = f"{customer.city}, {customer.state}".strip(", ")
    return [
        line
        for line in (customer.address, f"{place} {customer.postal_code}".strip())
        if line
    ]

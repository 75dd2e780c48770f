"""The job sheet of a ticket, to be printed and put into the vehicle."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from tickets.models import ServiceTicket

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
    context = {
        **model_admin.admin_site.each_context(request),
        "ticket": ticket,
        "shop_name": settings.SHOP_NAME,
        "shop_logo": getattr(settings, "SHOP_LOGO", ""),
        "priority": PRIORITY_WORDS[ticket.priority],
        "mechanics": ticket.ticket_mechanics.select_related("mechanic").order_by("pk"),
        "lines": sorted(lines, key=lambda line: line.pk),
        "parts_total": calculate_totals(request, lines).price,
        "sees_customer": request.user.has_perm("customers.view_customer"),
        "sees_vehicle": request.user.has_perm("customers.view_vehicle"),
        "printed_at": timezone.now(),
    }
    return render(request, "admin/tickets/serviceticket/print.html", context)

"""The service history below a customer and below a vehicle."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import Truncator

from customers.admin import CustomerAdmin, VehicleAdmin
from mechanic_shop.admin import ReadOnlyInline
from mechanic_shop.core.money import format_cents
from tickets.models import ServiceTicket

from .summary import STATUS_COLORS


@admin.display(description="Ticket")
def ticket_link(ticket: ServiceTicket) -> str:
    page = reverse("admin:tickets_serviceticket_change", args=[ticket.pk])
    return format_html(
        '<a class="font-medium text-primary-600 whitespace-nowrap'
        ' dark:text-primary-500" href="{}">{}</a>',
        page,
        ticket,
    )


@admin.display(description="Opened")
def opened_date(ticket: ServiceTicket) -> str:
    return date_format(timezone.localtime(ticket.opened_at))


@admin.display(description="Vehicle")
def vehicle_name(ticket: ServiceTicket) -> str:
    return ticket.vehicle_name


@admin.display(description="Status")
def status_badge(ticket: ServiceTicket) -> str:
    word = ticket.get_status_display()
    pill = {"text": word, "type": STATUS_COLORS[str(word)]}
    return render_to_string("unfold/helpers/label.html", pill)


@admin.display(description="Problem")
def problem(ticket: ServiceTicket) -> str:
    return Truncator(ticket.problem_description).chars(120)


@admin.display(description="Parts total")
def parts_total(ticket: ServiceTicket) -> str:
    lines = ticket.ticket_parts.all()
    return format_cents(
        sum(line.total_cost_cents for line in lines if line.returned_at is None)
    )


class TicketHistoryInline(ReadOnlyInline):
    """All tickets of a row, newest first, in pages."""

    model = ServiceTicket
    tab = True
    show_count = True
    verbose_name, verbose_name_plural = "ticket", "service history"
    fields: tuple[Any, ...] = (
        ticket_link,
        opened_date,
        status_badge,
        problem,
        parts_total,
    )
    readonly_fields = fields
    template_after = "admin/tickets/serviceticket/history_link.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceTicket]:
        tickets: QuerySet[ServiceTicket] = super().get_queryset(request)
        return tickets.order_by("-opened_at", "-pk").prefetch_related("ticket_parts")


class VehicleTicketsInline(TicketHistoryInline):
    fk_name = "vehicle"


class CustomerTicketsInline(TicketHistoryInline):
    fk_name = "customer"
    fields = (
        ticket_link,
        opened_date,
        vehicle_name,
        status_badge,
        problem,
        parts_total,
    )
    readonly_fields = fields


CustomerAdmin.register_inline(CustomerTicketsInline)
VehicleAdmin.register_inline(VehicleTicketsInline)

"""The read-only lists of all mechanics, parts and events of tickets."""

from __future__ import annotations

from django.contrib import admin

from mechanic_shop.admin import ReadOnlyAdminMixin, ShopModelAdmin
from mechanic_shop.admin.export import ExportMixin
from mechanic_shop.admin.people import by_name
from mechanic_shop.core.money import format_cents
from tickets.models import TicketEvent, TicketMechanic, TicketPart

from .inlines import sold_part
from .permissions import SEE_COSTS
from .timeline import event_description


@admin.register(TicketMechanic)
class TicketMechanicAdmin(ExportMixin, ReadOnlyAdminMixin, ShopModelAdmin):
    list_display = ("ticket", "mechanic", "role", "minutes_worked")
    list_filter = ("role", "ticket__status")
    list_select_related = ("ticket", "mechanic")
    search_fields = ("=ticket__pk", "mechanic__search_text", "role")
    ordering = ("-pk",)
    fields = ("ticket", "mechanic", "role", "minutes_worked")


@admin.register(TicketPart)
class TicketPartAdmin(ExportMixin, ReadOnlyAdminMixin, ShopModelAdmin):
    guarded_fields = {
        "unit_cost": SEE_COSTS,
        "unit_cost_cents": SEE_COSTS,
        "markup_percentage": SEE_COSTS,
    }
    list_display = (
        "ticket",
        sold_part,
        "quantity_used",
        "unit_cost",
        "markup_percentage",
        "total_cost",
        "installed_at",
        "returned_at",
    )
    list_filter = ("installed_at", ("returned_at", admin.EmptyFieldListFilter))
    list_select_related = ("ticket",)
    search_fields = ("=ticket__pk", "part_number", "part_name", "part__search_text")
    drill_down = "installed_at"
    ordering = ("-pk",)
    fields = (
        "ticket",
        sold_part,
        ("quantity_used", "unit_cost", "markup_percentage", "total_cost"),
        ("warranty_months", "warranty_expires_on"),
        "installed_by",
        ("installed_at", "returned_at"),
    )
    readonly_fields = (sold_part, "unit_cost", "total_cost", "warranty_expires_on")

    @admin.display(description="Unit cost", ordering="unit_cost_cents")
    def unit_cost(self, line: TicketPart) -> str:
        return format_cents(line.unit_cost_cents)

    @admin.display(description="Total")
    def total_cost(self, line: TicketPart) -> str:
        return format_cents(line.total_cost_cents)


@admin.register(TicketEvent)
class TicketEventAdmin(ExportMixin, ReadOnlyAdminMixin, ShopModelAdmin):
    list_display = (
        "at",
        "ticket",
        "kind",
        event_description,
        by_name,
        "visible_to_customer",
    )
    list_filter = ("kind", "visible_to_customer", "at")
    list_select_related = ("ticket", "by")
    search_fields = ("=ticket__pk", "by__email")
    drill_down = "at"
    ordering = ("-pk",)
    fields = ("at", "ticket", "kind", event_description, by_name, "visible_to_customer")
    readonly_fields = (event_description, by_name)

"""Mechanics in the back office."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from mechanic_shop.admin import ShopModelAdmin

from . import services
from .models import Mechanic


@admin.register(Mechanic)
class MechanicAdmin(ShopModelAdmin):
    deletes_through_service = True
    guarded_fields = {
        "salary": "mechanics.view_salary",
        "yearly_salary": "mechanics.view_salary",
    }
    list_display = (
        "full_name",
        "email",
        "phone",
        "yearly_salary",
        "tickets",
        "is_active",
    )
    list_filter = ("is_active",)
    search_fields = ("full_name", "email", "phone")
    ordering = ("full_name", "pk")
    autocomplete_fields = ("user",)
    readonly_fields = ("created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("full_name", ("email", "phone"), "is_active")}),
        ("Employment", {"fields": ("user", "salary")}),
        ("Times", {"fields": (("created_at", "updated_at"),)}),
    )

    @admin.display(description="Salary a year", ordering="salary")
    def yearly_salary(self, mechanic: Mechanic) -> str:
        return f"{mechanic.salary:,}"

    @admin.display(description="Tickets", ordering="ticket_count")
    def tickets(self, mechanic: Mechanic) -> int:
        return mechanic.ticket_count  # type: ignore[attr-defined, no-any-return]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mechanic]:
        mechanics: QuerySet[Mechanic] = (
            super().get_queryset(request).with_ticket_count()
        )
        return mechanics

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody enters a mechanic without the salary, which every mechanic has."""
        may_add: bool = super().has_add_permission(request)
        return may_add and request.user.has_perm("mechanics.view_salary")

    def delete_model(self, request: HttpRequest, obj: Mechanic) -> None:
        services.delete_mechanic(mechanic=obj)

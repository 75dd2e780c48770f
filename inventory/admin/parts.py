"""The admin pages of parts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from inventory import services
from inventory.models import MAX_COST_CENTS, Part
from mechanic_shop.admin import (
    CentsField,
    badge_column,
    changed_values,
    copy_state,
    user_of,
)
from mechanic_shop.admin.history import HistoryAdminMixin
from mechanic_shop.admin.imports import ImportMixin
from mechanic_shop.admin.sidebar import link_to_list
from mechanic_shop.core.money import format_cents

from .stock_actions import StockActionsMixin
from .stock_movements import MovementInline, stock_chart

#: Declared by the tickets, whose markup it is about.
SEE_MARGIN = "tickets.view_margin"

OUT, LOW, OK = "OUT", "LOW", "OK"


class PartForm(forms.ModelForm):
    current_cost_cents = CentsField(max_cents=MAX_COST_CENTS, label="Cost")

    class Meta:
        model = Part
        fields = ("part_number", "current_cost_cents")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "part_number" in self.fields and self.instance.pk is None:
            self.fields["part_number"].required = False
            self.fields["part_number"].help_text = "Left empty, one is made up."
        if "description" in self.fields:
            self.fields["description"].widget.attrs["rows"] = 3

    def clean_part_number(self) -> str:
        # The unique column is a generated one, which no form validates.
        number: str = self.cleaned_data["part_number"]
        others = Part.objects.filter(part_number_key=number.upper())
        if number and others.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("A part with this number exists already.")
        return number


class StockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("low", "Low, to be ordered"), ("out", "Out of stock"), ("enough", OK)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "low":
                return queryset.low_on_stock()
            case "out":
                return queryset.filter(quantity_in_stock=0)
            case "enough":
                return queryset.well_stocked()
        return queryset


link_to_list(Part, section="Inventory", icon="inventory_2", order=50)


@admin.register(Part)
class PartAdmin(HistoryAdminMixin, ImportMixin, StockActionsMixin):
    deletes_through_service = True
    form = PartForm
    guarded_fields = dict.fromkeys(("cost", "current_cost_cents"), (SEE_MARGIN,))
    list_display = (
        "part_number",
        "name",
        "category",
        "cost",
        "stock",
        "in_stock",
        "reorder_at",
        "is_active",
    )
    # An exported file can be edited and imported again.
    export_columns = (
        "part_number",
        "name",
        "description",
        "category",
        "manufacturer",
        "supplier",
        "cost",
        "quantity_in_stock",
        "reorder_level",
        "is_active",
    )
    list_display_links = ("part_number", "name")
    list_filter = (StockFilter, "is_active", "category")
    search_fields = ("search_text",)
    ordering = ("part_number", "pk")
    fieldsets = (
        (None, {"fields": (("part_number", "name"), "description")}),
        (
            "Stock",
            {
                "fields": (
                    ("quantity_in_stock", "current_cost_cents"),
                    ("reorder_level", "is_active"),
                )
            },
        ),
        ("Source", {"fields": ("category", ("manufacturer", "supplier"))}),
        ("Times", {"fields": (("created_at", "updated_at"),)}),
    )
    inlines = (MovementInline,)

    def get_choices(self, request: HttpRequest, rows: QuerySet[Part]) -> QuerySet[Part]:
        return rows.filter(is_active=True)

    def get_choice_label(self, request: HttpRequest, obj: Part) -> str:
        return f"{obj} ({obj.quantity_in_stock:,} in stock)"

    @admin.display(description="Cost", ordering="current_cost_cents")
    def cost(self, part: Part) -> str:
        return format_cents(part.current_cost_cents)

    @badge_column("Stock", {OUT: "danger", LOW: "warning", OK: "success"})
    def stock(self, part: Part) -> str:
        if part.quantity_in_stock == 0:
            return OUT
        return LOW if part.needs_reorder else OK

    @admin.display(description="In stock", ordering="quantity_in_stock")
    def in_stock(self, part: Part) -> str:
        return f"{part.quantity_in_stock:,}"

    @admin.display(description="Reorder at", ordering="reorder_level")
    def reorder_at(self, part: Part) -> str:
        return f"{part.reorder_level:,}"

    def get_readonly_fields(
        self, request: HttpRequest, obj: Part | None = None
    ) -> tuple[str, ...]:
        """Only a new part's stock is typed; from then on movements change it."""
        times = ("created_at", "updated_at")
        return ("quantity_in_stock", *times) if obj else times

    def get_fieldsets(self, request: HttpRequest, obj: Part | None = None) -> Any:
        """Show whole currency units, not cents, where the cost is no field."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": _with_readable_cost(options["fields"])})
            for title, options in fieldsets
        ]

    def get_inlines(self, request: HttpRequest, obj: Part | None) -> Any:
        return self.inlines if obj else ()

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        part = kwargs.get("obj")
        if part and request.user.has_perm("inventory.view_stockmovement"):
            context["stock_chart"] = stock_chart(part)
        response: HttpResponse = super().render_change_form(
            request, context, *args, **kwargs
        )
        return response

    def save_model(
        self, request: HttpRequest, obj: Part, form: forms.ModelForm, change: bool
    ) -> None:
        changes, user = changed_values(obj, form), user_of(request)
        if change:
            services.update_part(part=obj, by=user, **changes)
        else:
            copy_state(obj, services.add_part(by=user, **changes))

    def delete_model(self, request: HttpRequest, obj: Part) -> None:
        services.delete_part(part=obj)


def _with_readable_cost(fields: Any) -> list[Any]:
    return [
        _with_readable_cost(field)
        if isinstance(field, list | tuple)
        else {"current_cost_cents": "cost"}.get(field, field)
        for field in fields
    ]

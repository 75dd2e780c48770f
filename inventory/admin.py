"""Parts and their stock in the back office."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from mechanic_shop.admin import (
    CentsField,
    ReadOnly,
    ReadOnlyInline,
    ShopModelAdmin,
    become,
    changes_of,
    colored,
    dialog,
    user_of,
)
from mechanic_shop.money import format_cents

from . import services
from .models import MAX_COST_CENTS, MovementReason, Part, StockMovement

MAX_QUANTITY = 1_000_000


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

    def clean_part_number(self) -> str:
        # The unique column is a generated one, which no form validates.
        number: str = self.cleaned_data["part_number"]
        others = Part.objects.filter(part_number_key=number.upper())
        if number and others.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("A part with this number exists already.")
        return number


class NoteForm(BaseDialogForm):
    note = forms.CharField(
        max_length=255, required=False, widget=UnfoldAdminTextInputWidget
    )


class AdjustStockForm(NoteForm):
    adjustment = forms.IntegerField(
        min_value=-MAX_QUANTITY,
        max_value=MAX_QUANTITY,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="How many more; with a minus, how many fewer.",
    )
    reason = forms.ChoiceField(
        choices=[
            (reason.value, reason.label)
            for reason in (MovementReason.RECEIVE, MovementReason.ADJUST)
        ],
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("adjustment", "reason", "note")

    def clean_adjustment(self) -> int:
        adjustment: int = self.cleaned_data["adjustment"]
        if adjustment == 0:
            raise forms.ValidationError("Say how many more or fewer there are.")
        return adjustment


class CountStockForm(NoteForm):
    counted = forms.IntegerField(
        min_value=0,
        max_value=MAX_QUANTITY,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="How many are on the shelf.",
    )
    field_order = ("counted", "note")


class LowStockFilter(admin.SimpleListFilter):
    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("low", "To be ordered"), ("enough", "Enough")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "low":
                return queryset.low_on_stock()
            case "enough":
                return queryset.well_stocked()
        return queryset


@admin.display(description="Change", ordering="delta")
def signed_delta(movement: StockMovement) -> str:
    return f"{movement.delta:+,}"


class MovementInline(ReadOnlyInline):
    model = StockMovement
    fields = readonly_fields = (
        "at",
        signed_delta,
        "quantity_after",
        "reason",
        "ticket",
        "note",
        "by",
    )
    verbose_name_plural = "movements"

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockMovement]:
        movements: QuerySet[StockMovement] = super().get_queryset(request)
        return movements.select_related("ticket", "by")


@admin.register(Part)
class PartAdmin(ShopModelAdmin):
    deletes_through_service = True
    form = PartForm
    list_display = (
        "part_number",
        "name",
        "category",
        "cost",
        "quantity_in_stock",
        "reorder_level",
        "stock",
        "is_active",
    )
    list_display_links = ("part_number", "name")
    list_filter = (LowStockFilter, "is_active", "category")
    search_fields = ("part_number", "name", "category", "manufacturer", "supplier")
    ordering = ("part_number", "pk")
    fieldsets = (
        (None, {"fields": (("part_number", "name"), "description")}),
        (
            "Stock",
            {
                "fields": (
                    ("quantity_in_stock", "reorder_level"),
                    ("current_cost_cents", "is_active"),
                )
            },
        ),
        ("Source", {"fields": ("category", ("manufacturer", "supplier"))}),
        ("Times", {"fields": (("created_at", "updated_at"),)}),
    )
    inlines = (MovementInline,)
    actions_detail = ("adjust_stock", "count_stock")

    @admin.display(description="Cost", ordering="current_cost_cents")
    def cost(self, part: Part) -> str:
        return format_cents(part.current_cost_cents)

    @colored("Stock", {"To be ordered": "warning", "Enough": "success"})
    def stock(self, part: Part) -> str:
        return "To be ordered" if part.needs_reorder else "Enough"

    def get_readonly_fields(
        self, request: HttpRequest, obj: Part | None = None
    ) -> tuple[str, ...]:
        """Stock is typed once, for a new part; from then on movements change it."""
        times = ("created_at", "updated_at")
        return ("quantity_in_stock", *times) if obj else times

    def get_inlines(self, request: HttpRequest, obj: Part | None) -> Any:
        return self.inlines if obj else ()

    def save_model(
        self, request: HttpRequest, obj: Part, form: forms.ModelForm, change: bool
    ) -> None:
        changes, user = changes_of(obj, form), user_of(request)
        if change:
            services.update_part(part=obj, by=user, **changes)
        else:
            become(obj, services.add_part(by=user, **changes))

    def delete_model(self, request: HttpRequest, obj: Part) -> None:
        services.delete_part(part=obj)

    @dialog(
        "Adjust stock",
        icon="swap_vert",
        permission="adjust_quantity",
        title="Adjust stock",
        text="Add units to the shelf, or take some away.",
        submit="Adjust",
        form=AdjustStockForm,
    )
    def adjust_stock(
        self, request: HttpRequest, form: AdjustStockForm, object_id: str
    ) -> HttpResponse:
        def adjust(part: Part) -> str:
            movement = services.adjust_stock(
                part=part,
                by=user_of(request),
                adjustment=form.cleaned_data["adjustment"],
                reason=form.cleaned_data["reason"],
                note=form.cleaned_data["note"],
            )
            return f"{movement.quantity_after:,} in stock."

        return self.carry_out(request, object_id, adjust)

    @dialog(
        "Count stock",
        icon="inventory",
        permission="adjust_quantity",
        title="Count stock",
        text="The difference becomes a movement.",
        submit="Count",
        form=CountStockForm,
    )
    def count_stock(
        self, request: HttpRequest, form: CountStockForm, object_id: str
    ) -> HttpResponse:
        def count(part: Part) -> str:
            counted = form.cleaned_data["counted"]
            note = form.cleaned_data["note"]
            services.count_stock(
                part=part, counted=counted, by=user_of(request), note=note
            )
            return f"{counted:,} in stock."

        return self.carry_out(request, object_id, count)

    def has_adjust_quantity_permission(
        self, request: HttpRequest, obj: Any = None
    ) -> bool:
        return request.user.has_perm("inventory.adjust_quantity")


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnly, ShopModelAdmin):
    list_display = (
        "at",
        "part",
        signed_delta,
        "quantity_after",
        "reason",
        "ticket",
        "by",
        "note",
    )
    list_filter = ("reason", "at")
    list_select_related = ("part", "ticket", "by")
    search_fields = ("part__part_number", "part__name", "note")
    date_hierarchy = "at"
    ordering = ("-pk",)
    fields = (
        "at",
        "part",
        signed_delta,
        "quantity_after",
        "reason",
        "ticket",
        "note",
        "by",
    )
    readonly_fields = (signed_delta,)

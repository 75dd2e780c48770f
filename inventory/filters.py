from __future__ import annotations

from django.db.models import QuerySet

from mechanic_shop.api.filters import (
    SearchFilter,
    ShopFilterSet,
    StrictBooleanFilter,
    TextFilter,
    TotalOrderingFilter,
    UTCDateTimeFilter,
)

from .models import Part


class PartFilterSet(ShopFilterSet):
    low_stock = StrictBooleanFilter(
        method="filter_low_stock",
        help_text="`true`: parts at or below the reorder level; `false`: the others.",
    )
    category = TextFilter(
        lookup_expr="iexact", help_text="The whole name, in any case."
    )
    search = SearchFilter(
        help_text="Words in number, name, description, category, manufacturer or"
        " supplier."
    )
    is_active = StrictBooleanFilter(
        help_text="`false` lists the parts that are no longer stocked."
    )
    updated_after = UTCDateTimeFilter(
        "updated_at", lookup_expr="gt", help_text="Changed after this time."
    )
    ordering = TotalOrderingFilter(
        fields=[
            "part_number",
            "name",
            "category",
            "quantity_in_stock",
            "current_cost_cents",
        ]
    )

    class Meta:
        model = Part
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Part]) -> QuerySet[Part]:
        """Leave out parts that are no longer stocked, unless they are asked for."""
        rows: QuerySet[Part] = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("is_active") is None:
            rows = rows.active()  # type: ignore[attr-defined]
        return rows

    def filter_low_stock(
        self, queryset: QuerySet[Part], name: str, value: bool
    ) -> QuerySet[Part]:
        return queryset.low_on_stock() if value else queryset.well_stocked()  # type: ignore[attr-defined, no-any-return]

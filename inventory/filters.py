from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from mechanic_shop.api.filters import (
    MomentFilter,
    ShopFilterSet,
    StrictBooleanFilter,
    TotalOrderingFilter,
)

from .models import Part


class PartFilterSet(ShopFilterSet):
    search_columns = ("part_number", "name", "description", "manufacturer")

    low_stock = StrictBooleanFilter(method="filter_low_stock")
    category = django_filters.CharFilter(lookup_expr="iexact")
    search = django_filters.CharFilter(method="filter_search")
    is_active = StrictBooleanFilter()
    updated_after = MomentFilter("updated_at", lookup_expr="gt")
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
        """Leave out parts that are no longer kept, unless the caller asks for them."""
        rows: QuerySet[Part] = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("is_active") is None:
            rows = rows.filter(is_active=True)
        return rows

    def filter_low_stock(
        self, queryset: QuerySet[Part], name: str, value: bool
    ) -> QuerySet[Part]:
        return queryset.low_on_stock() if value else queryset.well_stocked()  # type: ignore[attr-defined, no-any-return]

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from mechanic_shop.api.filters import (
    SearchFilter,
    ShopFilterSet,
    TextFilter,
    TotalOrderingFilter,
    UTCDateTimeFilter,
    WholeNumberFilter,
)
from mechanic_shop.core.search_text import fold_identifier

from .models import Customer, Vehicle
from .vin import normalize_vin


class CustomerFilterSet(ShopFilterSet):
    search = SearchFilter(help_text="Words in name, email address or phone.")
    updated_after = UTCDateTimeFilter(
        "updated_at", lookup_expr="gt", help_text="Changed after this time."
    )
    ordering = TotalOrderingFilter(fields=["last_name", "email", "created_at"])

    class Meta:
        model = Customer
        fields: list[str] = []


class VehicleFilterSet(ShopFilterSet):
    search = SearchFilter(help_text="Words in VIN, plate, year, make or model.")
    vin = TextFilter(method="filter_vin", help_text="The VIN, or its last characters.")
    license_plate = TextFilter(
        method="filter_license_plate", help_text="The whole plate, in any spelling."
    )
    customer_id = WholeNumberFilter(help_text="Vehicles of this customer.")

    class Meta:
        model = Vehicle
        fields: list[str] = []

    def filter_license_plate(
        self, queryset: QuerySet[Any], name: str, value: str
    ) -> QuerySet[Any]:
        plate = fold_identifier(value)
        return queryset.filter(plate_key=plate) if plate else queryset.none()

    def filter_vin(
        self, queryset: QuerySet[Any], name: str, value: str
    ) -> QuerySet[Any]:
        """Match the end of a VIN: people read out the last six to eight characters."""
        suffix = normalize_vin(value)
        return queryset.filter(vin__endswith=suffix) if suffix else queryset.none()

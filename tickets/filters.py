from __future__ import annotations

import re
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from mechanic_shop.api.filters import (
    ListInput,
    RepeatableInput,
    SearchFilter,
    ShopFilterSet,
    TotalOrderingFilter,
    UTCDateTimeFilter,
    WholeNumberFilter,
    read_list,
    set_schema,
)

from .models import ServiceTicket

#: An id has at most this many digits.
ME = "me"
MECHANIC_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


class StatusListField(forms.Field):
    """Read ``open,waiting``; an unknown status is an error."""

    widget = ListInput

    def clean(self, value: Any) -> list[str]:
        statuses = read_list(value)
        unknown = [word for word in statuses if word not in ServiceTicket.Status.values]
        if unknown:
            raise forms.ValidationError(
                f"Unknown status {unknown[0]!r}; known are "
                f"{', '.join(ServiceTicket.Status.values)}."
            )
        return statuses


class StatusListFilter(django_filters.Filter):
    field_class = StatusListField
    takes_several = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        status = "|".join(ServiceTicket.Status.values)
        set_schema(self, type="string", pattern=f"^({status})(,({status}))*$")

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        return qs.filter(status__in=value) if value else qs


class MechanicField(forms.Field):
    """Read the id of a mechanic, or of several, or ``me``."""

    widget = RepeatableInput

    def clean(self, value: Any) -> list[str]:
        mechanics = read_list([text.strip() for text in value])
        if not all(text == ME or MECHANIC_ID.fullmatch(text) for text in mechanics):
            raise forms.ValidationError("Send a mechanic's id, or me.")
        return mechanics


class MechanicFilter(django_filters.Filter):
    field_class = MechanicField
    takes_several = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_schema(self, type="string", pattern="^([0-9]{1,18}|me)$")


class TicketFilterSet(ShopFilterSet):
    search_columns = ("=pk", "search_text", "customer__search_text")

    status = StatusListFilter(help_text="One status or several: `open,waiting`.")
    priority = WholeNumberFilter(max_value=5, help_text="1 is the most urgent.")
    customer_id = WholeNumberFilter(help_text="Tickets of this customer.")
    vehicle_id = WholeNumberFilter(help_text="Tickets of this vehicle.")
    mechanic_id = MechanicFilter(
        method="filter_mechanic",
        help_text="Tickets of this mechanic; `me` is the mechanic of the caller.",
    )
    opened_after = UTCDateTimeFilter(
        "opened_at", lookup_expr="gte", help_text="Opened at this time or later."
    )
    opened_before = UTCDateTimeFilter(
        "opened_at", lookup_expr="lt", help_text="Opened before this time."
    )
    updated_after = UTCDateTimeFilter(
        "updated_at", lookup_expr="gt", help_text="Changed after this time."
    )
    search = SearchFilter(
        help_text="The number, or words in problem, vehicle, plate, VIN, or the"
        " customer's name, phone or email address."
    )
    ordering = TotalOrderingFilter(
        fields=["opened_at", "closed_at", "priority", "status"]
    )

    class Meta:
        model = ServiceTicket
        fields: list[str] = []

    def filter_mechanic(
        self, queryset: QuerySet[ServiceTicket], name: str, value: list[str]
    ) -> QuerySet[ServiceTicket]:
        wanted = Q.create([self._is_mechanic(each) for each in value], Q.OR)
        if len(value) == 1:
            return queryset.filter(wanted)
        # A join would show a ticket once for each of them.
        return queryset.filter(pk__in=ServiceTicket.objects.filter(wanted).values("pk"))

    def _is_mechanic(self, value: str) -> Q:
        if value == ME:
            return Q(ticket_mechanics__mechanic__user=self.request.user)
        return Q(ticket_mechanics__mechanic_id=int(value))

"""What is on a ticket: mechanics, parts, timeline; saved through the services."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from mechanic_shop.accounts.models import User
from mechanic_shop.admin import (
    ReadOnlyInline,
    ShopInline,
    without,
)
from mechanic_shop.api.saving import lock_row
from mechanic_shop.money import format_cents
from tickets import services
from tickets.models import (
    ServiceTicket,
    TicketEvent,
    TicketMechanic,
    TicketPart,
)

from .rights import (
    ASSIGN,
    CHANGE_ALL_MINUTES,
    INSTALL,
    LOG_OWN_MINUTES,
    REMOVE,
    SEE_COSTS,
    may_any,
    takes_work,
)


class LineForm(forms.ModelForm):
    """A row below a ticket, of which some fields are settled when it was made."""

    settled: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            for name in self.settled:
                if name in self.fields:
                    self.fields[name].disabled = True


class AssignmentForm(LineForm):
    settled = ("mechanic",)
    #: Whose form it is; set on the class that is made for each request.
    user: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and not self.user.has_perm(CHANGE_ALL_MINUTES):
            self._open_own_minutes_only()

    def _open_own_minutes_only(self) -> None:
        own = self.instance.mechanic.belongs_to(self.user)
        for name in ("role", "minutes_worked"):
            self.fields[name].disabled = name == "role" or not (
                own and self.user.has_perm(LOG_OWN_MINUTES)
            )


class TicketMechanicInline(ShopInline):
    model = TicketMechanic
    form = AssignmentForm
    fields = ("mechanic", "role", "minutes_worked")
    autocomplete_fields = ("mechanic",)
    verbose_name, verbose_name_plural = "mechanic", "mechanics"

    def get_formset(
        self, request: HttpRequest, obj: ServiceTicket | None = None, **kwargs: Any
    ) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.user = request.user
        return formset

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketMechanic]:
        rows: QuerySet[TicketMechanic] = super().get_queryset(request)
        return rows.select_related("mechanic").order_by("pk")

    def has_add_permission(
        self, request: HttpRequest, obj: ServiceTicket | None
    ) -> bool:
        return may_any(request, ASSIGN) and takes_work(request, obj)

    def has_change_permission(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> bool:
        may = may_any(request, CHANGE_ALL_MINUTES, LOG_OWN_MINUTES)
        return may and takes_work(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> bool:
        return self.has_add_permission(request, obj)


class TicketPartForm(LineForm):
    settled = ("part", "markup_percentage")

    class Meta:
        labels = {
            "quantity_used": "Quantity",
            "markup_percentage": "Markup %",
            "warranty_months": "Warranty, months",
        }


@admin.display(description="Unit cost")
def unit_cost(line: TicketPart) -> str:
    return format_cents(line.unit_cost_cents) if line.pk else "-"


@admin.display(description="Total")
def total_cost(line: TicketPart) -> str:
    return format_cents(line.total_cost_cents) if line.pk else "-"


class TicketPartInline(ShopInline):
    model = TicketPart
    form = TicketPartForm
    fields = (
        "part",
        "quantity_used",
        "unit_cost",
        "markup_percentage",
        "total_cost",
        "warranty_months",
        "installed_by",
        "returned_at",
    )
    readonly_fields = ("unit_cost", "total_cost", "returned_at")
    guarded_fields = {"unit_cost": SEE_COSTS, "markup_percentage": SEE_COSTS}
    autocomplete_fields = ("part", "installed_by")
    verbose_name, verbose_name_plural = "part", "parts"

    unit_cost = staticmethod(unit_cost)
    total_cost = staticmethod(total_cost)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show when parts were given back only where that can have happened."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or obj.is_closed:
            return fieldsets
        return [
            (title, {**options, "fields": without(options["fields"], {"returned_at"})})
            for title, options in fieldsets
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketPart]:
        rows: QuerySet[TicketPart] = super().get_queryset(request)
        return rows.select_related("part", "installed_by").order_by("pk")

    def has_add_permission(
        self, request: HttpRequest, obj: ServiceTicket | None
    ) -> bool:
        return may_any(request, INSTALL) and takes_work(request, obj)

    def has_change_permission(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> bool:
        return self.has_add_permission(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> bool:
        return may_any(request, REMOVE) and takes_work(request, obj)


@admin.display(description="What")
def what_happened(event: TicketEvent) -> str:
    """Read an event's detail aloud: ``quantity used: 2 → 3``, ``open → waiting``.

    What a part cost the shop is left out: not everyone who sees events may see it.
    """
    detail = dict(event.detail)
    changes = detail.pop("changes", {})
    if "from" in detail:
        return f"{detail['from']} → {detail['to']}".replace("_", " ")
    said = [
        f"{_spoken(name)}: {_amount(name, value)}"
        for name, value in detail.items()
        if not name.endswith("_id") and name != "unit_cost_cents"
    ]
    said += [
        f"{_spoken(name)}: {change['old']} → {change['new']}"
        for name, change in changes.items()
    ]
    return ", ".join(said)


def _spoken(name: str) -> str:
    return name.removesuffix("_cents").replace("_", " ")


def _amount(name: str, value: Any) -> str:
    return format_cents(value) if name.endswith("_cents") else str(value)


class TicketEventInline(ReadOnlyInline):
    model = TicketEvent
    fields = readonly_fields = (
        "at",
        "kind",
        what_happened,
        "by",
        "visible_to_customer",
    )
    verbose_name_plural = "timeline"

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketEvent]:
        events: QuerySet[TicketEvent] = super().get_queryset(request)
        return events.select_related("by")


def mechanic_verbs(ticket: ServiceTicket, formset: Any, user: User) -> None:
    """Tell the services what a form changed about the mechanics of a ticket."""
    for row in formset.deleted_objects:
        services.remove_mechanic(ticket=ticket, mechanic=row.mechanic, by=user)
    for row, names in formset.changed_objects:
        changes = {name: getattr(row, name) for name in names}
        services.change_assignment(
            ticket=ticket, mechanic=row.mechanic, by=user, **changes
        )
    for row in formset.new_objects:
        services.assign_mechanic(
            ticket=ticket,
            mechanic=row.mechanic,
            by=user,
            role=row.role,
            minutes_worked=row.minutes_worked,
        )


def part_verbs(ticket: ServiceTicket, formset: Any, user: User) -> None:
    """Tell the services what a form changed about the parts of a ticket.

    Each verb locks its part until the end, so they go by part, as everywhere.
    """
    lock_row(ticket)
    steps: list[tuple[int, Callable[..., Any]]] = []
    for line in formset.deleted_objects:
        verb = partial(services.remove_part, part=line.part)
        steps.append((line.part_id, verb))
    for line, names in formset.changed_objects:
        changes = {name: getattr(line, name) for name in names}
        change = partial(services.change_installed_part, part=line.part, **changes)
        steps.append((line.part_id, change))
    for line in formset.new_objects:
        steps.append((line.part_id, partial(install, line)))
    for _, step in sorted(steps, key=lambda step: step[0]):
        step(ticket=ticket, by=user)


def install(line: TicketPart, *, ticket: ServiceTicket, by: User) -> None:
    services.install_part(
        ticket=ticket,
        part=line.part,
        by=by,
        quantity_used=line.quantity_used,
        markup_percentage=line.markup_percentage,
        warranty_months=line.warranty_months,
        installed_by=line.installed_by,
    )

"""The mechanics and parts on a ticket's page, saved through the services."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from mechanic_shop.accounts.models import User
from mechanic_shop.admin import ShopInline, preload_selects, remove_fields, saving_row
from mechanic_shop.admin.selects import ShopAutocompleteView
from mechanic_shop.core.money import format_cents
from tickets import services
from tickets.models import (
    ServiceTicket,
    TicketMechanic,
    TicketPart,
)

from .offers import MechanicOffersMixin, PartOffersMixin
from .permissions import (
    ASSIGN,
    CHANGE_ALL_MINUTES,
    INSTALL,
    LOG_OWN_MINUTES,
    REMOVE,
    SEE_COSTS,
    SEE_STOCK,
    accepts_work,
    has_any_permission,
)


class TicketLineForm(forms.ModelForm):
    """A row below a ticket; ``fixed_fields`` cannot change after it was added."""

    fixed_fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        preload_selects(self)
        # Screen readers do not read a table's head as the label of a field.
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = str(field.label)
        if self.instance.pk is not None:
            for name in self.fixed_fields:
                if name in self.fields:
                    self.fields[name].disabled = True


class AssignmentForm(TicketLineForm):
    fixed_fields = ("mechanic",)
    #: The signed-in user; set on the form class of each request.
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


class TicketMechanicInline(MechanicOffersMixin, ShopInline):
    model = TicketMechanic
    tab = True
    show_count = True
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
        return has_any_permission(request, ASSIGN) and accepts_work(request, obj)

    def has_change_permission(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> bool:
        allowed = has_any_permission(request, CHANGE_ALL_MINUTES, LOG_OWN_MINUTES)
        return allowed and accepts_work(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> bool:
        return self.has_add_permission(request, obj)


class PartAutocompleteView(ShopAutocompleteView):
    """Suggest parts to those who install them."""

    #: The name of the URL, without the admin site's namespace.
    url_name = "tickets_serviceticket_parts"


class TicketPartForm(TicketLineForm):
    fixed_fields = ("part", "markup_percentage")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and "part" in self.fields:
            part = self.fields["part"]
            assert isinstance(part, forms.ModelChoiceField)
            part.label_from_instance = self._sold_as  # type: ignore[method-assign]

    def _sold_as(self, obj: Any) -> str:
        return str(self.instance.sold_as)

    class Meta:
        help_texts = {"warranty_months": "Months from the day it was installed."}
        labels = {
            "quantity_used": "Quantity",
            "markup_percentage": "Markup %",
            "warranty_months": "Warranty",
        }


@admin.display(description="Part", ordering="part_number")
def sold_part(line: TicketPart) -> str:
    return line.sold_as


@admin.display(description="In stock")
def in_stock(line: TicketPart) -> str:
    return f"{line.part.quantity_in_stock:,}" if line.pk else "-"


@admin.display(description="Unit cost")
def unit_cost(line: TicketPart) -> str:
    return format_cents(line.unit_cost_cents) if line.pk else "-"


@admin.display(description="Total")
def total_cost(line: TicketPart) -> str:
    return format_cents(line.total_cost_cents) if line.pk else "-"


class TicketPartInline(PartOffersMixin, ShopInline):
    model = TicketPart
    tab = True
    show_count = True
    template_after = "admin/tickets/serviceticket/parts_total.html"
    form = TicketPartForm
    fields = (
        "part",
        "in_stock",
        "quantity_used",
        "unit_cost",
        "markup_percentage",
        "total_cost",
        "warranty_months",
        "installed_by",
        "returned_at",
    )
    readonly_fields = (
        "sold_part",
        "in_stock",
        "unit_cost",
        "total_cost",
        "returned_at",
    )
    guarded_fields = {
        "in_stock": (SEE_STOCK,),
        "unit_cost": SEE_COSTS,
        "markup_percentage": SEE_COSTS,
    }
    autocomplete_fields = ("part", "installed_by")
    verbose_name, verbose_name_plural = "part", "parts"

    sold_part = staticmethod(sold_part)
    in_stock = staticmethod(in_stock)
    unit_cost = staticmethod(unit_cost)
    total_cost = staticmethod(total_cost)

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "part":
            field.widget.url_name = f"%s:{PartAutocompleteView.url_name}"
        return field

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Where no part can be chosen, show what was sold, not the part of today."""
        if self.has_change_permission(request, obj):
            return self.fields
        return ["sold_part" if name == "part" else name for name in self.fields]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show ``returned_at`` only on closed tickets, whose parts can be returned."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or obj.is_closed:
            return fieldsets
        return [
            (
                title,
                {
                    **options,
                    "fields": remove_fields(options["fields"], {"returned_at"}),
                },
            )
            for title, options in fieldsets
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketPart]:
        rows: QuerySet[TicketPart] = super().get_queryset(request)
        return rows.select_related("part", "installed_by").order_by("pk")

    def has_add_permission(
        self, request: HttpRequest, obj: ServiceTicket | None
    ) -> bool:
        return has_any_permission(request, INSTALL) and accepts_work(request, obj)

    def has_change_permission(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> bool:
        return self.has_add_permission(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> bool:
        return has_any_permission(request, REMOVE) and accepts_work(request, obj)


def save_mechanic_formset(ticket: ServiceTicket, formset: Any, user: User) -> None:
    """Save a formset of mechanics through the services."""
    for row in formset.deleted_objects:
        with saving_row(formset, row):
            services.remove_mechanic(ticket=ticket, mechanic=row.mechanic, by=user)
    for row, names in formset.changed_objects:
        changes = {name: getattr(row, name) for name in names}
        with saving_row(formset, row):
            services.change_assignment(
                ticket=ticket, mechanic=row.mechanic, by=user, **changes
            )
    for row in formset.new_objects:
        with saving_row(formset, row):
            services.assign_mechanic(
                ticket=ticket,
                mechanic=row.mechanic,
                by=user,
                role=row.role,
                minutes_worked=row.minutes_worked,
            )


def save_part_formset(ticket: ServiceTicket, formset: Any, user: User) -> None:
    """Save a formset of parts through the services.

    Each service locks its part until the commit, so they run in the order of part ids.
    """
    steps: list[tuple[TicketPart, Callable[..., Any]]] = []
    for line in formset.deleted_objects:
        steps.append((line, partial(services.remove_part, part=line.part)))
    for line, names in formset.changed_objects:
        changes = {name: getattr(line, name) for name in names}
        change = partial(services.change_installed_part, part=line.part, **changes)
        steps.append((line, change))
    for line in formset.new_objects:
        steps.append((line, partial(install, line)))
    for line, step in sorted(steps, key=lambda step: step[0].part_id):
        with saving_row(formset, line):
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

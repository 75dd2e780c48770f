"""Service tickets in the back office. Every change on a ticket is a service's verb."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from mechanic_shop.accounts.models import User
from mechanic_shop.admin import (
    ReadOnly,
    ReadOnlyInline,
    ShopInline,
    ShopModelAdmin,
    become,
    changes_of,
    colored,
    dialog,
    user_of,
    without,
)
from mechanic_shop.money import format_cents

from . import services
from .models import ServiceTicket, TicketEvent, TicketMechanic, TicketPart, TicketStatus
from .permissions import verbs_for

Status = TicketStatus

SEE_COSTS = "inventory.view_part"
ASSIGN = "tickets.assign_mechanic"
CHANGE_ALL_MINUTES = "tickets.change_ticketmechanic"
LOG_OWN_MINUTES = "tickets.log_minutes"
INSTALL = "tickets.install_part"
REMOVE = "tickets.remove_part"
CHANGE = "tickets.change_serviceticket"

STATUS_COLORS = {
    Status.OPEN.label: "info",
    Status.IN_PROGRESS.label: "primary",
    Status.WAITING.label: "warning",
    Status.COMPLETED.label: "success",
    Status.CANCELLED.label: "danger",
}


def takes_work(request: HttpRequest, ticket: ServiceTicket | None) -> bool:
    """Tell whether to offer the fields of a ticket.

    A posted form passes, so that the service says in words that the ticket was closed
    while the form was open.
    """
    return ticket is None or request.method == "POST" or not ticket.is_closed


def may_any(request: HttpRequest, *permissions: str) -> bool:
    return any(request.user.has_perm(permission) for permission in permissions)


# --- Below a ticket -------------------------------------------------------------------


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


# --- Moves ----------------------------------------------------------------------------


class TicketMoves(ShopModelAdmin):
    """The buttons on a ticket and the actions on the list that move its status."""

    actions_detail = (
        "start_work",
        "pause_work",
        "complete_ticket",
        "cancel_ticket",
        "reopen_ticket",
        "write_note",
    )
    actions = (
        "start_selected",
        "pause_selected",
        "complete_selected",
        "cancel_selected",
        "reopen_selected",
    )
    #: Which button leads where, and from which statuses it is offered.
    BUTTONS = {
        "start_work": (Status.IN_PROGRESS, (Status.OPEN, Status.WAITING)),
        "pause_work": (Status.WAITING, tuple(Status)),
        "complete_ticket": (Status.COMPLETED, tuple(Status)),
        "cancel_ticket": (Status.CANCELLED, tuple(Status)),
        "reopen_ticket": (Status.IN_PROGRESS, (Status.COMPLETED,)),
    }

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> Any:
        """Offer the moves that the ticket's present status allows."""
        offered = super().get_actions_detail(request, object_id)
        ticket = self.get_object(request, str(object_id))
        if ticket is None:
            return []
        return [
            button for button in offered if self._leads_somewhere(ticket, button.path)
        ]

    def _leads_somewhere(self, ticket: ServiceTicket, name: str) -> bool:
        if name not in self.BUTTONS:
            return True
        target, starts = self.BUTTONS[name]
        return ticket.status in starts and target in ticket.allowed_moves

    def move(self, request: HttpRequest, ticket: ServiceTicket, status: Status) -> str:
        """Move one ticket, with the right that this very move needs.

        The ticket is locked first: the right depends on where it moves from.
        """
        ticket = services.lock(ticket)
        for verb in verbs_for(ticket, {"status": status}):
            if not request.user.has_perm(verb):
                raise PermissionDenied
        services.move_ticket(ticket=ticket, status=status, by=user_of(request))
        return f"{ticket} is {status.label.lower()}."

    def move_one(
        self, request: HttpRequest, object_id: str, status: Status
    ) -> HttpResponse:
        return self.carry_out(
            request, object_id, lambda ticket: self.move(request, ticket, status)
        )

    def move_all(
        self, request: HttpRequest, tickets: QuerySet[ServiceTicket], status: Status
    ) -> None:
        """Move every selected ticket or none; always locked in the same order."""
        for ticket in tickets.order_by("pk"):
            self.log_change(request, ticket, self.move(request, ticket, status))
        said = f"{len(tickets)} tickets are {status.label.lower()}."
        self.message_user(request, said, messages.SUCCESS)

    @dialog(
        "Start work",
        icon="play_arrow",
        permission="work",
        title="Start work on this ticket?",
        variant=ActionVariant.PRIMARY,
    )
    def start_work(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        return self.move_one(request, object_id, Status.IN_PROGRESS)

    @dialog(
        "Pause",
        icon="pause",
        permission="work",
        title="Let this ticket wait?",
    )
    def pause_work(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        return self.move_one(request, object_id, Status.WAITING)

    @dialog(
        "Complete",
        icon="check",
        permission="work",
        title="Complete this ticket?",
        text="It takes no more work afterwards.",
        variant=ActionVariant.SUCCESS,
    )
    def complete_ticket(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        return self.move_one(request, object_id, Status.COMPLETED)

    @dialog(
        "Cancel ticket",
        icon="block",
        permission="cancel",
        title="Cancel this ticket?",
        text="Its parts go back on the shelf. This is final.",
        variant=ActionVariant.DANGER,
    )
    def cancel_ticket(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        return self.move_one(request, object_id, Status.CANCELLED)

    @dialog(
        "Reopen",
        icon="undo",
        permission="reopen",
        title="Reopen this ticket?",
        text="Work on it goes on.",
    )
    def reopen_ticket(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        return self.move_one(request, object_id, Status.IN_PROGRESS)

    @admin.action(description="Start work on selected tickets", permissions=["work"])
    def start_selected(self, request: HttpRequest, queryset: Any) -> None:
        self.move_all(request, queryset, Status.IN_PROGRESS)

    @admin.action(description="Let selected tickets wait", permissions=["work"])
    def pause_selected(self, request: HttpRequest, queryset: Any) -> None:
        self.move_all(request, queryset, Status.WAITING)

    @admin.action(description="Complete selected tickets", permissions=["work"])
    def complete_selected(self, request: HttpRequest, queryset: Any) -> None:
        self.move_all(request, queryset, Status.COMPLETED)

    @admin.action(description="Cancel selected tickets", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: Any) -> None:
        self.move_all(request, queryset, Status.CANCELLED)

    @admin.action(description="Reopen selected tickets", permissions=["reopen"])
    def reopen_selected(self, request: HttpRequest, queryset: Any) -> None:
        self.move_all(request, queryset, Status.IN_PROGRESS)

    def has_work_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tickets.work_ticket")

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tickets.cancel_ticket")

    def has_reopen_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tickets.reopen_ticket")


# --- Pages ----------------------------------------------------------------------------


class NoteForm(BaseDialogForm):
    text = forms.CharField(max_length=5000, widget=UnfoldAdminTextareaWidget)
    visible_to_customer = forms.BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget
    )


@admin.register(ServiceTicket)
class ServiceTicketAdmin(TicketMoves):
    deletes_through_service = True
    list_display = (
        "number",
        "colored_status",
        "priority",
        "vehicle",
        "license_plate",
        "customer_name",
        "opened_at",
        "parts_total",
    )
    list_filter = ("status", "priority", "opened_at")
    list_select_related = ("vehicle", "customer")
    search_fields = (
        "=pk",
        "problem_description",
        "vehicle__vin",
        "vehicle__license_plate",
        "customer__first_name",
        "customer__last_name",
    )
    date_hierarchy = "opened_at"
    ordering = ("-opened_at", "-pk")
    autocomplete_fields = ("vehicle", "customer")
    readonly_fields = (
        "colored_status",
        "opened_at",
        "closed_at",
        "updated_at",
        "parts_total",
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    "vehicle",
                    "problem_description",
                    "odometer_miles",
                    "priority",
                )
            },
        ),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("colored_status", "parts_total"),
                    ("vehicle", "customer"),
                    "problem_description",
                    ("odometer_miles", "priority"),
                )
            },
        ),
        ("Times", {"fields": (("opened_at", "closed_at", "updated_at"),)}),
    )
    inlines = (TicketMechanicInline, TicketPartInline, TicketEventInline)

    @admin.display(description="Ticket", ordering="pk")
    def number(self, ticket: ServiceTicket) -> str:
        return str(ticket)

    @colored("Status", STATUS_COLORS, ordering="status")
    def colored_status(self, ticket: ServiceTicket) -> str:
        return ticket.get_status_display()

    @admin.display(description="Plate", ordering="vehicle__license_plate")
    def license_plate(self, ticket: ServiceTicket) -> str:
        return ticket.vehicle.license_plate

    @admin.display(description="Customer", ordering="customer__last_name")
    def customer_name(self, ticket: ServiceTicket) -> str:
        return ticket.customer.full_name or "(erased)"

    @admin.display(description="Parts total")
    def parts_total(self, ticket: ServiceTicket) -> str:
        lines = ticket.ticket_parts.all()
        return format_cents(
            sum(line.total_cost_cents for line in lines if line.returned_at is None)
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceTicket]:
        tickets: QuerySet[ServiceTicket] = super().get_queryset(request)
        return tickets.prefetch_related("ticket_parts")

    def get_inlines(self, request: HttpRequest, obj: ServiceTicket | None) -> Any:
        return self.inlines if obj else ()

    def get_readonly_fields(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> tuple[str, ...]:
        """Open the ticket's own fields only to those who may change the ticket."""
        if obj is None or request.user.has_perm(CHANGE):
            return self.readonly_fields
        own = ("vehicle", "customer", "problem_description", "odometer_miles")
        return (*self.readonly_fields, *own, "priority")

    def has_change_permission(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> bool:
        """Let those save the page who may change anything on it."""
        may = may_any(
            request,
            CHANGE,
            ASSIGN,
            CHANGE_ALL_MINUTES,
            LOG_OWN_MINUTES,
            INSTALL,
            REMOVE,
        )
        return may and takes_work(request, obj)

    def save_model(
        self,
        request: HttpRequest,
        obj: ServiceTicket,
        form: forms.ModelForm,
        change: bool,
    ) -> None:
        changes, user = changes_of(obj, form), user_of(request)
        if change:
            become(obj, services.update_ticket(ticket=obj, by=user, **changes))
        else:
            become(obj, services.open_ticket(by=user, **changes))

    def save_formset(
        self, request: HttpRequest, form: Any, formset: Any, change: bool
    ) -> None:
        formset.save(commit=False)
        verbs = {TicketMechanic: mechanic_verbs, TicketPart: part_verbs}
        if formset.model in verbs:
            verbs[formset.model](form.instance, formset, user_of(request))

    def delete_model(self, request: HttpRequest, obj: ServiceTicket) -> None:
        services.delete_ticket(ticket=obj)

    @dialog(
        "Write a note",
        icon="edit_note",
        permission="note",
        title="Write a note",
        submit="Save",
        form=NoteForm,
    )
    def write_note(self, request: HttpRequest, form: NoteForm, object_id: str) -> Any:
        def write(ticket: ServiceTicket) -> str:
            services.add_note(
                ticket=ticket,
                by=user_of(request),
                text=form.cleaned_data["text"],
                visible_to_customer=form.cleaned_data["visible_to_customer"],
            )
            return "The note is on the timeline."

        return self.carry_out(request, object_id, write)

    def has_note_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tickets.add_note")


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
    services.lock(ticket)
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


@admin.register(TicketMechanic)
class TicketMechanicAdmin(ReadOnly, ShopModelAdmin):
    list_display = ("ticket", "mechanic", "role", "minutes_worked")
    list_filter = ("role", "ticket__status")
    list_select_related = ("ticket", "mechanic")
    search_fields = ("=ticket__pk", "mechanic__full_name", "role")
    ordering = ("-pk",)
    fields = ("ticket", "mechanic", "role", "minutes_worked")


@admin.register(TicketPart)
class TicketPartAdmin(ReadOnly, ShopModelAdmin):
    guarded_fields = {
        "unit_cost": SEE_COSTS,
        "unit_cost_cents": SEE_COSTS,
        "markup_percentage": SEE_COSTS,
    }
    list_display = (
        "ticket",
        "part",
        "quantity_used",
        "unit_cost",
        "markup_percentage",
        "total_cost",
        "installed_at",
        "returned_at",
    )
    list_filter = ("installed_at", ("returned_at", admin.EmptyFieldListFilter))
    list_select_related = ("ticket", "part")
    search_fields = ("=ticket__pk", "part__part_number", "part__name")
    date_hierarchy = "installed_at"
    ordering = ("-pk",)
    fields = (
        "ticket",
        "part",
        ("quantity_used", "unit_cost", "markup_percentage", "total_cost"),
        ("warranty_months", "warranty_expires_on"),
        "installed_by",
        ("installed_at", "returned_at"),
    )
    readonly_fields = ("unit_cost", "total_cost", "warranty_expires_on")

    @admin.display(description="Unit cost", ordering="unit_cost_cents")
    def unit_cost(self, line: TicketPart) -> str:
        return format_cents(line.unit_cost_cents)

    @admin.display(description="Total")
    def total_cost(self, line: TicketPart) -> str:
        return format_cents(line.total_cost_cents)


@admin.register(TicketEvent)
class TicketEventAdmin(ReadOnly, ShopModelAdmin):
    list_display = ("at", "ticket", "kind", what_happened, "by", "visible_to_customer")
    list_filter = ("kind", "visible_to_customer", "at")
    list_select_related = ("ticket", "by")
    search_fields = ("=ticket__pk", "by__email")
    date_hierarchy = "at"
    ordering = ("-pk",)
    fields = ("at", "ticket", "kind", what_happened, "by", "visible_to_customer")
    readonly_fields = (what_happened,)

"""The admin pages of tickets. Services make every change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from mechanic_shop.admin import (
    badge_column,
    changed_values,
    copy_state,
    dialog,
    give_hints,
    remove_fields,
    user_of,
)
from mechanic_shop.admin.export import ExportMixin
from mechanic_shop.admin.sidebar import link_to_list
from mechanic_shop.core.money import format_cents
from tickets import services
from tickets.hints import hints_about
from tickets.models import (
    ServiceTicket,
    TicketMechanic,
    TicketPart,
)
from tickets.services.locking import lock_open_ticket

from .inlines import (
    PartAutocompleteView,
    TicketMechanicInline,
    TicketPartInline,
    save_mechanic_formset,
    save_part_formset,
)
from .job_sheet import print_job_sheet
from .offers import TicketOffersMixin
from .permissions import (
    ASSIGN,
    CHANGE,
    CHANGE_ALL_MINUTES,
    INSTALL,
    LOG_OWN_MINUTES,
    REMOVE,
    accepts_work,
    has_any_permission,
)
from .status_actions import TicketStatusActionsMixin
from .summary import (
    PRIORITY_BADGES,
    PRIORITY_WORDS,
    STATUS_COLORS,
    calculate_totals,
    summary_context,
)
from .timeline import (
    TicketEventInline,
    describe_events_since,
    timeline_entries,
)


class NoteForm(BaseDialogForm):
    text = forms.CharField(
        max_length=5000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 5})
    )
    visible_to_customer = forms.BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget
    )


def _is_tickets_page_active(request: HttpRequest) -> bool:
    """Highlight the sidebar's link on pages of tickets, but not on the board."""
    return (
        request.path.startswith("/admin/tickets/serviceticket/")
        and "/board/" not in request.path
    )


link_to_list(
    ServiceTicket,
    section="Workshop",
    icon="assignment",
    order=12,
    title="Tickets",
    is_active=_is_tickets_page_active,
)


class PriorityFilter(admin.ChoicesFieldListFilter):
    """Offer the priorities in words."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        chosen = str((self.lookup_val or [""])[0])
        options = [("", "All"), *PRIORITY_WORDS.items()]
        for number, word in options:
            value = str(number)
            yield {
                "selected": value == chosen,
                "query_string": changelist.get_query_string(
                    {self.lookup_kwarg: value} if value else None,
                    None if value else [self.lookup_kwarg],
                ),
                "display": word,
            }


@admin.register(ServiceTicket)
class ServiceTicketAdmin(TicketOffersMixin, ExportMixin, TicketStatusActionsMixin):
    deletes_through_service = True
    list_display = (
        "number",
        "colored_status",
        "priority_word",
        "vehicle_name",
        "license_plate",
        "customer_name",
        "opened_at",
        "parts_total",
    )
    list_filter = (
        "status",
        ("priority", PriorityFilter),
        "ticket_mechanics__mechanic",
        "opened_at",
    )
    search_fields = ("=pk", "search_text", "customer__search_text")
    drill_down = "opened_at"
    ordering = ("-opened_at", "-pk")
    autocomplete_fields = ("vehicle", "customer")
    readonly_fields = ("opened_at", "closed_at", "handed_over_at", "updated_at")
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
                    ("vehicle", "customer"),
                    "problem_description",
                    ("odometer_miles", "priority"),
                )
            },
        ),
        (
            "Times",
            {"fields": (("opened_at", "closed_at"), ("handed_over_at", "updated_at"))},
        ),
    )
    inlines = (TicketMechanicInline, TicketPartInline, TicketEventInline)
    change_form_outer_before_template = None  # the summary shows the badges

    class Media:
        css = {"all": ("tickets/ticket_page.css",)}

    @admin.display(description="Ticket", ordering="pk")
    def number(self, ticket: ServiceTicket) -> str:
        return str(ticket)

    @badge_column("Status", STATUS_COLORS, ordering="status")
    def colored_status(self, ticket: ServiceTicket) -> str:
        return ticket.get_status_display()

    @badge_column("Priority", PRIORITY_BADGES, ordering="priority")
    def priority_word(self, ticket: ServiceTicket) -> str:
        return PRIORITY_WORDS[ticket.priority]

    @admin.display(description="Vehicle", ordering="vehicle_make")
    def vehicle_name(self, ticket: ServiceTicket) -> str:
        return ticket.vehicle_name

    @admin.display(description="Plate", ordering="vehicle_license_plate")
    def license_plate(self, ticket: ServiceTicket) -> str:
        return ticket.vehicle_license_plate

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
        return tickets.select_related("vehicle", "customer").prefetch_related(
            "ticket_parts"
        )

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer the priorities in words, because 1 does not tell that it is urgent."""
        if db_field.name != "priority":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return forms.TypedChoiceField(
            coerce=int,
            choices=PRIORITY_WORDS.items(),
            initial=db_field.default,
            widget=UnfoldAdminSelectWidget,
        )

    def get_custom_urls(self) -> Any:
        sheet = (
            "<int:object_id>/print/",
            "tickets_serviceticket_print",
            print_job_sheet,
        )
        parts = PartAutocompleteView.as_view(admin_site=self.admin_site)
        offer = ("parts-in-stock/", PartAutocompleteView.url_name, parts)
        return (*super().get_custom_urls(), sheet, offer)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the summary above the tabs, with the buttons of the top bar in it."""
        ticket = context.get("original")
        if ticket and request.method == "POST":
            # A rejected form has written its input onto the instance.
            ticket = self.get_object(request, str(ticket.pk))
        if ticket:
            context |= {
                "ticket": ticket,
                "head": summary_context(request, ticket),
                "moves": context.pop("actions_detail", ()),
                "totals": calculate_totals(request, list(ticket.ticket_parts.all())),
                "timeline": timeline_entries(request, context["inline_admin_formsets"]),
            }
        page: HttpResponse = super().render_change_form(
            request, context, *args, **kwargs
        )
        return page

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show the timeline: it is the history of a ticket."""
        ticket = self.get_visible_object(request, object_id)
        return HttpResponseRedirect(f"{self.change_url(ticket)}#events")

    def version_of(self, request: HttpRequest, row: ServiceTicket) -> str:
        """Every change of a ticket, its lines included, updates ``updated_at``."""
        return row.updated_at.isoformat()

    def changes_since(
        self, request: HttpRequest, row: ServiceTicket, at: datetime
    ) -> list[str]:
        return describe_events_since(request, row, at)

    def get_inlines(self, request: HttpRequest, obj: ServiceTicket | None) -> Any:
        return self.inlines if obj else ()

    def get_fieldsets(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> Any:
        """Drop fields that the summary shows already and the user may not change."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or (
            request.user.has_perm(CHANGE) and accepts_work(request, obj)
        ):
            return fieldsets
        shown_above = {"vehicle", "customer", "priority"}
        return [
            (
                title,
                {**options, "fields": remove_fields(options["fields"], shown_above)},
            )
            for title, options in fieldsets
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> tuple[str, ...]:
        """Make the ticket's own fields read-only without the change permission."""
        if obj is None or request.user.has_perm(CHANGE):
            return self.readonly_fields
        own = ("vehicle", "customer", "problem_description", "odometer_miles")
        return (*self.readonly_fields, *own, "priority")

    def has_change_permission(
        self, request: HttpRequest, obj: ServiceTicket | None = None
    ) -> bool:
        """Let users save the page who may change anything on it."""
        allowed = has_any_permission(
            request,
            CHANGE,
            ASSIGN,
            CHANGE_ALL_MINUTES,
            LOG_OWN_MINUTES,
            INSTALL,
            REMOVE,
        )
        return allowed and accepts_work(request, obj)

    def save_model(
        self,
        request: HttpRequest,
        obj: ServiceTicket,
        form: forms.ModelForm,
        change: bool,
    ) -> None:
        changes, user = changed_values(obj, form), user_of(request)
        give_hints(request, hints_about(obj, form.changed_data, is_new=not change))
        if change:
            copy_state(obj, services.update_ticket(ticket=obj, by=user, **changes))
        else:
            copy_state(obj, services.open_ticket(by=user, **changes))

    def save_formset(
        self, request: HttpRequest, form: Any, formset: Any, change: bool
    ) -> None:
        formset.save(commit=False)
        if formset.has_changed():
            # The page says that the ticket is closed, not one of its rows.
            lock_open_ticket(form.instance)
        savers = {TicketMechanic: save_mechanic_formset, TicketPart: save_part_formset}
        if formset.model in savers:
            savers[formset.model](form.instance, formset, user_of(request))

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

        return self.run_service(request, object_id, write)

    def has_note_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tickets.add_note")

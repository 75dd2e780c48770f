"""The buttons and list actions that change the status of tickets."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.enums import ActionVariant

from mechanic_shop.admin import ShopModelAdmin, dialog, new_token, user_of
from mechanic_shop.core.locking import lock_row
from tickets import services
from tickets.models import ServiceTicket, TicketStatus
from tickets.permissions import required_permissions

Status = TicketStatus


class TicketStatusActionsMixin(ShopModelAdmin):
    """Add the buttons and list actions that change the status of tickets."""

    actions_detail = (
        "start_work",
        "pause_work",
        "complete_ticket",
        "hand_over_ticket",
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
    #: For each button the new status, and the statuses in which it is shown.
    BUTTONS = {
        "start_work": (Status.IN_PROGRESS, (Status.OPEN, Status.WAITING)),
        "pause_work": (Status.WAITING, (Status.IN_PROGRESS,)),
        "complete_ticket": (Status.COMPLETED, tuple(Status)),
        "cancel_ticket": (Status.CANCELLED, tuple(Status)),
        "reopen_ticket": (Status.IN_PROGRESS, (Status.COMPLETED,)),
    }

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> Any:
        """Offer the buttons that the ticket's present status allows."""
        offered = super().get_actions_detail(request, object_id)
        ticket = self.get_object(request, str(object_id))
        if ticket is None:
            return []
        return [button for button in offered if self._is_offered(ticket, button.path)]

    def _is_offered(self, ticket: ServiceTicket, name: str) -> bool:
        if name == "hand_over_ticket":
            return ticket.is_ready
        if name not in self.BUTTONS:
            return True
        target, starts = self.BUTTONS[name]
        return ticket.status in starts and target in ticket.allowed_moves

    def move_ticket(
        self, request: HttpRequest, ticket: ServiceTicket, status: Status
    ) -> str:
        """Change a ticket's status, if the user has the permission for this change.

        The ticket is locked first, because the permission depends on its old status.
        """
        ticket = lock_row(ticket)
        required = required_permissions(ticket, {"status": status})
        if not request.user.has_perms(required):
            raise PermissionDenied
        services.move_ticket(ticket=ticket, status=status, by=user_of(request))
        message = f"{ticket} is {status.label.lower()}."
        if status == Status.COMPLETED and (lacking := _list_what_is_missing(ticket)):
            message += f" It has {' and '.join(lacking)}."
        return message

    def hand_over(self, request: HttpRequest, ticket: ServiceTicket) -> str:
        if not self.has_work_permission(request):
            raise PermissionDenied
        services.hand_over(ticket=ticket, by=user_of(request))
        return f"The vehicle of {str(ticket).lower()} is handed over."

    def move_one(
        self, request: HttpRequest, object_id: str, status: Status
    ) -> HttpResponse:
        return self.run_service(
            request, object_id, lambda ticket: self.move_ticket(request, ticket, status)
        )

    def move_all(
        self, request: HttpRequest, tickets: QuerySet[ServiceTicket], status: Status
    ) -> HttpResponse | None:
        """Ask for confirmation, then change all selected tickets in order of ids."""
        if request.POST.get("post") != "yes":
            return confirm_moves(self, request, tickets, status)
        moved = list(tickets.order_by("pk"))
        if "leave_out" in request.POST:
            moved = [ticket for ticket in moved if _can_move_to(ticket, status)]
        for ticket in moved:
            self.log_change(request, ticket, self.move_ticket(request, ticket, status))
        message = f"{count_tickets(len(moved))} {status.label.lower()}."
        self.message_user(request, message, messages.SUCCESS)
        return None

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
        "Hand over",
        icon="key",
        permission="work",
        title="Hand the vehicle over?",
        text="The customer takes it along. It leaves the work board.",
        variant=ActionVariant.PRIMARY,
    )
    def hand_over_ticket(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        return self.run_service(
            request, object_id, lambda ticket: self.hand_over(request, ticket)
        )

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
    def start_selected(self, request: HttpRequest, queryset: Any) -> Any:
        return self.move_all(request, queryset, Status.IN_PROGRESS)

    @admin.action(description="Let selected tickets wait", permissions=["work"])
    def pause_selected(self, request: HttpRequest, queryset: Any) -> Any:
        return self.move_all(request, queryset, Status.WAITING)

    @admin.action(description="Complete selected tickets", permissions=["work"])
    def complete_selected(self, request: HttpRequest, queryset: Any) -> Any:
        return self.move_all(request, queryset, Status.COMPLETED)

    @admin.action(description="Cancel selected tickets", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: Any) -> Any:
        return self.move_all(request, queryset, Status.CANCELLED)

    @admin.action(description="Reopen selected tickets", permissions=["reopen"])
    def reopen_selected(self, request: HttpRequest, queryset: Any) -> Any:
        return self.move_all(request, queryset, Status.IN_PROGRESS)

    def has_work_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tickets.work_ticket")

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tickets.cancel_ticket")

    def has_reopen_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tickets.reopen_ticket")


#: How many of the selected tickets the confirmation page lists.
MAX_ROWS_NAMED = 50

WARNINGS = {
    Status.COMPLETED: "They take no more work afterwards.",
    Status.CANCELLED: "Their parts go back on the shelf. This is final.",
}
QUESTIONS = {
    "start_selected": "Start work on",
    "pause_selected": "Let wait",
    "complete_selected": "Complete",
    "cancel_selected": "Cancel",
    "reopen_selected": "Reopen",
}


def confirm_moves(
    page: ShopModelAdmin,
    request: HttpRequest,
    tickets: QuerySet[ServiceTicket],
    status: Status,
) -> TemplateResponse:
    """List the selected tickets, and mark those that cannot get the new status."""
    selected = list(tickets.order_by("pk"))
    blocked = [ticket.pk for ticket in selected if not _can_move_to(ticket, status)]
    verb = QUESTIONS[request.POST["action"]]
    things = _pluralize(len(selected))
    context = {
        **page.admin_site.each_context(request),
        "title": f"{verb} {things}",
        "opts": page.opts,
        "media": page.media,
        "question": f"{verb} {things}?",
        "yes": f"Yes, {verb[0].lower()}{verb[1:]}",
        "things": things,
        "total": len(selected),
        "warning": WARNINGS.get(status, ""),
        "target": status.label,
        "blocked": blocked,
        "others": _pluralize(len(selected) - len(blocked)),
        "shown": selected[:MAX_ROWS_NAMED],
        "more": len(selected[MAX_ROWS_NAMED:]),
        "selected": request.POST.getlist("_selected_action"),
        "select_across": request.POST.get("select_across", "0"),
        "action": request.POST["action"],
        "form_token": new_token(),
    }
    template = "admin/tickets/serviceticket/confirm_moves.html"
    return TemplateResponse(request, template, context)


def _can_move_to(ticket: ServiceTicket, status: Status) -> bool:
    return ticket.status == status or status in ticket.allowed_moves


def _list_what_is_missing(ticket: ServiceTicket) -> list[str]:
    """List what a completed ticket usually has; it may well have been a free look."""
    minutes = list(ticket.ticket_mechanics.values_list("minutes_worked", flat=True))
    lacking = [] if minutes else ["no mechanic"]
    if minutes and not any(minutes):
        lacking.append("no minutes")
    if not ticket.ticket_parts.exists():
        lacking.append("no parts")
    return lacking


def _pluralize(number: int) -> str:
    return "1 ticket" if number == 1 else f"{number:,} tickets"


def count_tickets(number: int) -> str:
    return "1 ticket is" if number == 1 else f"{number:,} tickets are"

"""The buttons and actions that move a ticket from status to status."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.enums import ActionVariant

from mechanic_shop.admin import (
    ShopModelAdmin,
    dialog,
    user_of,
)
from mechanic_shop.api.saving import lock_row
from tickets import services
from tickets.models import (
    ServiceTicket,
    TicketStatus,
)
from tickets.permissions import verbs_for

Status = TicketStatus


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
        ticket = lock_row(ticket)
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

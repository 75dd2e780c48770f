"""The page of the queue: what went out, what waits, what failed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from mechanic_shop.admin import (
    ReadOnlyAdminMixin,
    ShopModelAdmin,
    badge_column,
    dialog,
)
from mechanic_shop.admin.confirmed_actions import confirmed_action
from mechanic_shop.admin.export import ExportMixin
from mechanic_shop.admin.sidebar import link_to_list
from mechanic_shop.core import outbox
from mechanic_shop.core.models import QueuedTask

State = QueuedTask.State

STATUS_COLORS = {
    "Waiting": "info",
    "Under way": "info",
    "Trying again": "warning",
    "Sent": "success",
    "Done": "success",
    "Failed": "danger",
}

link_to_list(QueuedTask, section="System", icon="outgoing_mail", order=95)


@admin.register(QueuedTask)
class QueuedTaskAdmin(ExportMixin, ReadOnlyAdminMixin, ShopModelAdmin):
    empty_message = "Mails that were sent, and those that wait, are listed here."
    list_display = (
        "created_at",
        "what",
        "recipient",
        "status",
        "when",
        "attempts",
        "remark",
    )
    list_filter = ("state", "created_at")
    search_fields = ("recipient", "subject")
    ordering = ("-pk",)
    # Without the payload and the names of lease and mail, which nobody needs to read.
    fields = (
        "what",
        "recipient",
        "subject",
        "status",
        "progress",
        "total",
        "attempts",
        "next_attempt",
        "remark",
        "created_at",
        "finished_at",
    )
    readonly_fields = ("what", "status", "next_attempt")
    actions = ("retry_selected",)
    actions_detail = ("retry",)

    @admin.display(description="What", ordering="kind")
    def what(self, task: QueuedTask) -> str:
        try:
            return outbox.get_kind(task.kind).title
        except LookupError:  # of another release
            return task.kind

    @badge_column("Status", STATUS_COLORS, ordering="state")
    def status(self, task: QueuedTask) -> str:
        return status_of(task)

    @admin.display(description="Next attempt", ordering="due_at")
    def next_attempt(self, task: QueuedTask) -> datetime | None:
        is_waiting = task.state == State.WAITING and not task.lease
        return task.due_at if is_waiting else None

    @admin.display(description="Next or finished")
    def when(self, task: QueuedTask) -> datetime | None:
        return task.finished_at or self.next_attempt(task)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Leave out how far it has come where that is not counted, as of mails."""
        if obj is None or obj.total is None:
            return [name for name in self.fields if name not in ("progress", "total")]
        return list(self.fields)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        hidden = ("payload", "key", "lease")
        return not lookup.startswith(hidden) and super().lookup_allowed(
            lookup, value, request
        )

    def has_retry_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("core.retry_queuedtask")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        task = self.get_object(request, str(object_id))
        offered = super().get_actions_detail(request, object_id)
        return offered if task is not None and task.state == State.FAILED else []

    @dialog(
        "Send again",
        icon="outgoing_mail",
        permission="retry",
        title="Do this again?",
        text="It is tried at once, and again after growing pauses.",
        submit="Send again",
    )
    def retry(self, request: HttpRequest, form: Any, object_id: str) -> Any:
        def send_again(task: QueuedTask) -> str:
            outbox.retry_failed(task=task)
            return "It is tried again."

        return self.run_service(request, object_id, send_again)

    @confirmed_action(
        "Send again",
        permission="retry",
        title="Do these again?",
        text="Those that have failed are tried at once; all others are left out.",
        submit="Send again",
    )
    def retry_selected(
        self, request: HttpRequest, queryset: QuerySet[QueuedTask]
    ) -> None:
        failed = list(queryset.filter(state=State.FAILED).order_by("pk"))
        for task in failed:
            outbox.retry_failed(task=task)
        message = f"{len(failed)} tried again."
        self.message_user(request, message, messages.SUCCESS)


def status_of(task: QueuedTask) -> str:
    """Say in a word or two how far a task is."""
    if task.state == State.DONE:
        return "Sent" if task.recipient else "Done"
    if task.state != State.WAITING:
        return State(task.state).label
    if task.lease:
        return "Under way"
    return "Trying again" if task.attempts else "Waiting"

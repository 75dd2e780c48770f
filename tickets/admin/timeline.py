"""The timeline of a ticket: its events as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from customers.models import Customer, Vehicle
from mechanic_shop.admin import ReadOnlyInline
from mechanic_shop.core.money import format_cents
from mechanics.models import Mechanic
from tickets.models import ServiceTicket, TicketEvent, TicketEventKind, TicketStatus

from .permissions import SEE_COSTS
from .summary import PRIORITY_WORDS

Kind = TicketEventKind

#: The models whose rows events store as ids.
RELATED_MODELS: dict[str, Any] = {
    "vehicle": Vehicle,
    "customer": Customer,
    "installed_by": Mechanic,
}
ICONS = {
    Kind.OPENED: "assignment_add",
    Kind.STATUS_CHANGED: "swap_horiz",
    Kind.FIELDS_CHANGED: "edit",
    Kind.MECHANIC_ASSIGNED: "person_add",
    Kind.MECHANIC_REMOVED: "person_remove",
    Kind.ASSIGNMENT_CHANGED: "schedule",
    Kind.PART_INSTALLED: "build",
    Kind.PART_CHANGED: "build",
    Kind.PART_REMOVED: "remove_circle",
    Kind.PART_RETURNED: "undo",
    Kind.NOTE: "chat",
    Kind.HANDED_OVER: "key",
}


@dataclass(frozen=True)
class Entry:
    """An event as the timeline shows it; ``note`` is the text of a note."""

    event: TicketEvent
    by: str
    sentence: str
    note: str
    icon: str


class RelatedNames:
    """The names of rows that events store as ids, loaded in one query per model."""

    def __init__(self, events: Iterable[TicketEvent] = ()) -> None:
        details = [event.detail.get("changes", {}) for event in events]
        self.rows = {
            name: model.objects.in_bulk(ids)
            for name, model in RELATED_MODELS.items()
            if (ids := _collect_ids(details, name))
        }

    def of(self, name: str, value: Any) -> str:
        if value in (None, ""):
            return "nothing"
        if name == "priority":
            return PRIORITY_WORDS.get(value, str(value))
        row = self.rows.get(name, {}).get(value)
        if row is None:
            return f"no. {value}" if name in RELATED_MODELS else str(value)
        return str(row)


def _collect_ids(details: list[dict[str, Any]], name: str) -> set[int]:
    return {
        pk
        for changes in details
        for pk in changes.get(name, {}).values()
        if isinstance(pk, int)
    }


def build_entries(events: list[TicketEvent], *, see_costs: bool) -> list[Entry]:
    names = RelatedNames(events)
    return [
        Entry(
            event=event,
            by=event.by.full_name or event.by.email,
            sentence=describe_event(event, names, see_costs=see_costs),
            note=event.detail.get("text", "") if event.kind == Kind.NOTE else "",
            icon=ICONS.get(TicketEventKind(event.kind), "circle"),
        )
        for event in events
    ]


def describe_event(event: TicketEvent, names: RelatedNames, *, see_costs: bool) -> str:
    """Describe an event in a sentence; the name of the user is put before it.

    The shop's cost of a part is left out: not everyone who sees events may see it.
    """
    detail = dict(event.detail)
    changes = detail.pop("changes", {})
    if not see_costs and "markup_percentage" in changes:
        changes = {**changes, "markup_percentage": {"old": "…", "new": "…"}}
    changed = ", ".join(
        f"{_field_label(name)}: {names.of(name, change.get('old'))}"
        f" → {names.of(name, change.get('new'))}"
        for name, change in changes.items()
    )
    return SENTENCES[TicketEventKind(event.kind)]({**detail, "changed": changed})


def _opened(detail: dict[str, Any]) -> str:
    status = detail.get("status", TicketStatus.OPEN)
    as_what = "" if status == TicketStatus.OPEN else f" as {_status(status).lower()}"
    return f"opened the ticket{as_what}"


def _moved(detail: dict[str, Any]) -> str:
    return f"moved it: {_status(detail.get('from'))} → {_status(detail.get('to'))}"


def _assigned(detail: dict[str, Any]) -> str:
    return f"put {_mechanic(detail)} on it{_minutes(detail)}"


def _unassigned(detail: dict[str, Any]) -> str:
    return f"took {_mechanic(detail)} off it{_minutes(detail)}"


def _reassigned(detail: dict[str, Any]) -> str:
    return f"changed {_mechanic(detail)}, {detail['changed']}"


def _installed(detail: dict[str, Any]) -> str:
    return f"installed {_units(detail)} for {format_cents(_total(detail))}"


def _changed_part(detail: dict[str, Any]) -> str:
    return f"changed {_part(detail)}, {detail['changed']}"


def _removed(detail: dict[str, Any]) -> str:
    return f"took {_units(detail)} off it, back to the shelf"


def _returned(detail: dict[str, Any]) -> str:
    return f"returned {_units(detail)} to the shelf"


SENTENCES: dict[TicketEventKind, Callable[[dict[str, Any]], str]] = {
    Kind.OPENED: _opened,
    Kind.STATUS_CHANGED: _moved,
    Kind.FIELDS_CHANGED: "changed {changed}".format_map,
    Kind.MECHANIC_ASSIGNED: _assigned,
    Kind.MECHANIC_REMOVED: _unassigned,
    Kind.ASSIGNMENT_CHANGED: _reassigned,
    Kind.PART_INSTALLED: _installed,
    Kind.PART_CHANGED: _changed_part,
    Kind.PART_REMOVED: _removed,
    Kind.PART_RETURNED: _returned,
    Kind.NOTE: "wrote a note".format_map,
    Kind.HANDED_OVER: "handed the vehicle over".format_map,
}


def _status(value: Any) -> str:
    return TicketStatus(value).label if value in TicketStatus.values else str(value)


def _mechanic(detail: dict[str, Any]) -> str:
    role = detail.get("role")
    name = detail.get("full_name", "a mechanic")
    return f"{name} ({role})" if role else str(name)


def _minutes(detail: dict[str, Any]) -> str:
    minutes = detail.get("minutes_worked")
    return f" with {minutes:,} minutes" if minutes else ""


def _part(detail: dict[str, Any]) -> str:
    return f"{detail.get('part_number', '')} {detail.get('part_name', '')}".strip()


def _units(detail: dict[str, Any]) -> str:
    return f"{detail.get('quantity_used', '?')} × {_part(detail)}"


def _total(detail: dict[str, Any]) -> int:
    return int(detail.get("total_cost_cents", 0))


def _field_label(name: str) -> str:
    return name.removesuffix("_cents").replace("_", " ")


@admin.display(description="What")
def event_description(event: TicketEvent) -> str:
    """Describe an event in a list, without costs."""
    sentence = describe_event(event, RelatedNames(), see_costs=False)
    note = event.detail.get("text") if event.kind == Kind.NOTE else ""
    return f"{sentence}: {note}" if note else sentence


class TicketEventInline(ReadOnlyInline):
    model = TicketEvent
    tab = True
    template = "admin/tickets/serviceticket/timeline.html"
    fields = readonly_fields = ("at", "kind")
    verbose_name, verbose_name_plural = "event", "timeline"

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketEvent]:
        events: QuerySet[TicketEvent] = super().get_queryset(request)
        return events.select_related("by")


def timeline_entries(request: HttpRequest, inline_formsets: Any) -> list[Entry]:
    """Render the events of the current page as sentences."""
    for inline in inline_formsets:
        if inline.formset.model is TicketEvent:
            # Not from the forms: a posted page contains no events.
            events = list(inline.formset.page.object_list)
            return build_entries(events, see_costs=request.user.has_perms(SEE_COSTS))
    return []


def describe_events_since(
    request: HttpRequest, ticket: ServiceTicket, at: Any
) -> list[str]:
    """Describe the newest events of a ticket since a time, newest first."""
    events = ticket.events.filter(at__gte=at).select_related("by")[:5]
    entries = build_entries(list(events), see_costs=request.user.has_perms(SEE_COSTS))
    return [f"{entry.by} {entry.sentence}." for entry in entries]

"""Read-only history pages: who changed which field of a row, and when."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper

from mechanic_shop.core.money import format_cents

NOTHING = "–"


class HistoryAdminMixin(SimpleHistoryAdmin):
    """Show who made each change, with the old and the new values.

    Fields that ``guarded_fields`` hides from a user are hidden in the history too.
    """

    object_history_list_template = "admin/history_list.html"
    history_list_per_page = 50

    def get_urls(self) -> Any:
        """Leave out the pages of old versions.

        They show every field to every staff user, and save what is posted to them.
        """
        return super(SimpleHistoryAdmin, self).get_urls()

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        if not unquote(object_id).isdecimal():
            raise Http404
        response: HttpResponse = super().history_view(request, object_id, extra_context)
        return response

    def history_view_title(self, request: HttpRequest, obj: Any) -> str:
        return f"History of {obj}"

    def set_history_delta_changes(
        self,
        request: HttpRequest,
        historical_records: Any,
        foreign_keys_are_objs: bool = True,
    ) -> None:
        """Compare each record of a page with the one before it."""
        hidden = self.hidden_from(request)
        for new, old in pairwise(_with_previous_record(historical_records)):
            delta = new.diff_against(
                old, excluded_fields=hidden, foreign_keys_are_objs=foreign_keys_are_objs
            )
            words = ReadableChanges(self.model, new)
            new.history_delta_changes = words.context_for_delta_changes(delta)


def _with_previous_record(page: Any) -> Iterator[Any]:
    """Yield the records of a page and the first one of the next page."""
    yield from page
    end = page.end_index()
    yield from page.paginator.object_list[end : end + 1]


class ReadableChanges(HistoricalRecordContextHelper):
    """Format old and new values as the forms do."""

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        if value is None or value == "":
            return NOTHING
        if isinstance(value, bool):
            return "Yes" if value else "No"
        return format_cents(value) if change.field.endswith("_cents") else value

    def format_delta_change(self, change: Any) -> Any:
        formatted = super().format_delta_change(change)
        label = formatted.field.removesuffix(" cents")
        return dataclasses.replace(formatted, field=label)

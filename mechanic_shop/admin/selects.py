"""Suggestions of selects: what may be chosen, each told from its namesakes."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.db.models import QuerySet
from django.http import HttpRequest


class ChoicesMixin:
    """How the rows of a model admin are offered in the selects of others."""

    #: Relations that ``get_choice_label`` reads.
    choice_select_related: tuple[str, ...] = ()

    def get_choices(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows that may be chosen; a row that was chosen before stays."""
        return rows

    def get_choice_label(self, request: HttpRequest, obj: Any) -> str:
        return str(obj)


class ShopAutocompleteView(AutocompleteJsonView):
    """Suggest the rows and labels that the model admin says."""

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        if not isinstance(self.model_admin, ChoicesMixin):
            return rows
        related = self.model_admin.choice_select_related
        rows = rows.select_related(*related) if related else rows
        return self.model_admin.get_choices(self.request, rows)

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        result: dict[str, str] = super().serialize_result(obj, to_field_name)
        if isinstance(self.model_admin, ChoicesMixin):
            result["text"] = self.model_admin.get_choice_label(self.request, obj)
        return result


def join_label(*parts: str) -> str:
    return " · ".join(part for part in parts if part)

"""Admin actions on selected rows, with a confirmation page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .double_submit import new_token

Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]

#: What the confirmation pages post; Django's own posts the second.
CONFIRMATIONS = ("confirmed", "post")

#: A longer list would not be read.
MAX_ROWS_NAMED = 20


def confirmed_action(
    description: str, *, permission: str, title: str, text: str, submit: str
) -> Callable[[Action], Action]:
    """Show the selected rows, and run the action when the user confirms.

    ``permission`` names the method ``has_<permission>_permission``.
    """

    def ask_before(act: Action) -> Action:
        @admin.action(description=description, permissions=[permission])
        @wraps(act)
        def ask_or_act(
            model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]
        ) -> HttpResponse | None:
            if request.POST.get("confirmed") == "yes":
                return act(model_admin, request, queryset)
            question = {"title": title, "text": text, "yes": submit}
            return _render_confirmation(model_admin, request, queryset, question)

        return ask_or_act

    return ask_before


def was_confirmed(request: HttpRequest) -> bool:
    return any(name in request.POST for name in CONFIRMATIONS)


def forget_confirmation(request: HttpRequest) -> None:
    """Make an action ask once more."""
    posted = request.POST.copy()
    for name in CONFIRMATIONS:
        posted.pop(name, None)
    request.POST = posted  # type: ignore[assignment]


def _render_confirmation(
    model_admin: Any,
    request: HttpRequest,
    queryset: QuerySet[Any],
    question: dict[str, str],
) -> HttpResponse:
    count = queryset.count()
    context = {
        **model_admin.admin_site.each_context(request),
        **question,
        "opts": model_admin.opts,
        "action": request.POST["action"],
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "form_token": new_token(),
        "count": count,
        "rows": queryset[:MAX_ROWS_NAMED],
        "more": max(0, count - MAX_ROWS_NAMED),
    }
    return render(request, "admin/confirm_action.html", context)

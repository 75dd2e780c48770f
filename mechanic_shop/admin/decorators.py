"""Columns with colored badges, and buttons that open a dialog."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

from django import forms
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.safestring import mark_safe
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from .double_submit import with_token
from .rejected_forms import DialogRejected, show_in_dialog
from .typed_fields import keep_all_pasted

F = TypeVar("F", bound=Callable[..., Any])


def badge_column(
    description: str, colors: Mapping[str, str], *, ordering: str | None = None
) -> Callable[[F], F]:
    decorate: Callable[[F], F] = display(
        description=description, ordering=ordering, label=dict(colors)
    )
    return decorate


def dialog(
    description: str,
    *,
    icon: str,
    permission: str,
    title: str,
    text: str = "",
    submit: str = "Yes",
    form: type[forms.Form] = BaseDialogForm,
    variant: ActionVariant = ActionVariant.DEFAULT,
) -> Callable[[F], F]:
    """Add a button to a row's page; it opens a dialog that runs the decorated method.

    A plain link would change data on GET, which CSRF protection does not cover.
    ``permission`` names the method ``has_<permission>_permission``.
    """
    form_class = with_token(form)
    keep_all_pasted(form_class.base_fields.values())
    decorate: Callable[[Any], F] = action(
        description=description,
        icon=icon,
        variant=variant,
        permissions=[permission],
        dialog={
            "title": title,
            "description": text,
            "form_class": form_class,
            "form_submit_text": submit,
        },
    )

    def keep_open_if_rejected(method: F) -> F:
        @wraps(method)
        def run(
            model_admin: Any, request: HttpRequest, form: Any, *args: Any, **kwargs: Any
        ) -> Any:
            try:
                return method(model_admin, request, form, *args, **kwargs)
            except DialogRejected as rejected:
                return show_in_dialog(request, form, rejected.error)

        return with_page_around(decorate(run))

    return keep_open_if_rejected


def with_page_around(method: F) -> F:
    """Render a dialog that is opened in a new tab as a page: it is only a fragment."""

    @wraps(method)
    def run(model_admin: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = method(model_admin, request, *args, **kwargs)
        if request.headers.get("HX-Request") or response.status_code != HTTPStatus.OK:
            return response
        fragment = mark_safe(response.content.decode())  # noqa: S308  (rendered)
        context = {**model_admin.admin_site.each_context(request), "dialog": fragment}
        return render(request, "back_office/dialog_page.html", context)

    return cast(F, run)

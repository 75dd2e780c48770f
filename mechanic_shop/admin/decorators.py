"""Columns with colored badges, and buttons that open a dialog."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from django import forms
from django.http import HttpRequest
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

        return decorate(run)

    return keep_open_if_rejected

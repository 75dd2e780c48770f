"""Columns on a color, and buttons that ask before they act."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django import forms
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from .double_submit import acting_once

F = TypeVar("F", bound=Callable[..., Any])


def colored(
    description: str, colors: Mapping[str, str], *, ordering: str | None = None
) -> Callable[[F], F]:
    """Show the word in a column on its color."""
    show: Callable[[F], F] = display(
        description=description, ordering=ordering, label=dict(colors)
    )
    return show


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
    """Put a button on a row's page that asks before it acts.

    A bare link would act on GET, past the protection against forged requests.
    ``permission`` names the method ``has_<permission>_permission``.
    """
    ask: Callable[[F], F] = action(
        description=description,
        icon=icon,
        variant=variant,
        permissions=[permission],
        dialog={
            "title": title,
            "description": text,
            "form_class": acting_once(form),
            "form_submit_text": submit,
        },
    )
    return ask

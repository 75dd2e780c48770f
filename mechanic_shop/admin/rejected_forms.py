"""Show a form again, as it was typed, when a service rejects it.

A view runs in a transaction. If a service raises, all of it is rolled back, and the
view runs once more to show what was posted: nothing is valid then, so nothing is saved.
The message is at the field or row that it is about, with a button where one helps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html

from mechanic_shop.core.statement_timeout import is_statement_timeout
from mechanic_shop.core.transactions import is_transient

from .error_messages import REJECTIONS, message_for

#: What an offer's button posts beside the form.
ACCEPTED = "_accepted"
#: What the button of a hint posts.
SAVE_ANYWAY = "save_anyway:1"
BUSY = "The shop was too busy to save this. Nothing was saved; save it again."


@dataclass(frozen=True)
class Offer:
    """A button that puts values into the form, or agrees to something, and submits it.

    ``values`` has the names of inputs; for a select it is the id and the text of a row.
    ``accepts`` is ``name:id`` of one of the page's ``acceptable`` changes.
    """

    label: str
    values: Mapping[str, Any] = field(default_factory=dict)
    accepts: str = ""

    @property
    def json(self) -> str:
        return json.dumps(self.values)


class Hint(ValidationError):
    """Something to look at before saving, by field; saving anyway is one click away."""


class DialogRejected(Exception):
    """A service rejected what was typed into a dialog, which is still open."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class RowRejected(Exception):
    """A service rejected one row of a form."""

    def __init__(self, prefix: str, error: Exception) -> None:
        super().__init__(str(error))
        self.prefix = prefix
        self.error = error


@dataclass(frozen=True)
class Rejection:
    """An error and the prefix of the row that it is about; "" is the page itself."""

    error: Exception
    prefix: str = ""

    @classmethod
    def of(cls, error: Exception) -> Rejection:
        if isinstance(error, RowRejected):
            return cls(error.error, error.prefix)
        return cls(error)

    @property
    def is_for_later(self) -> bool:
        return may_succeed_later(self.error)


def may_succeed_later(error: Exception) -> bool:
    """Tell whether the database gave up on a change that it may take later.

    A statement also runs out of time while it waits for the locks of others.
    """
    return is_transient(error) or is_statement_timeout(error)


@contextmanager
def saving_row(formset: Any, row: Any) -> Iterator[None]:
    """Say of which row of a formset an error is that is raised inside.

    :raises RowRejected: instead of what a service raised
    """
    try:
        yield
    except REJECTIONS as error:
        prefix = next(form.prefix for form in formset.forms if form.instance is row)
        raise RowRejected(prefix, error) from error


class RejectedFormMixin:
    """Show the error of a rejected form at its place; for pages of rows and inlines.

    Both may name the fields of errors, and make offers.
    """

    #: The field that each error is about.
    error_fields: ClassVar[dict[type[Exception], str]] = {}

    def get_offers(
        self, request: HttpRequest, form: Any, error: Exception
    ) -> Iterable[Offer]:
        """Return the buttons that help; ``form`` is the page's or the row's."""
        return ()

    def show_rejection(
        self, request: HttpRequest, form: Any, rejection: Rejection
    ) -> None:
        offers = list(self.get_offers(request, form, rejection.error))
        if isinstance(rejection.error, Hint):
            offers.append(Offer("Save anyway", accepts=SAVE_ANYWAY))
        add_error(form, rejection.error, self.error_fields, offers)


class RejectedPageMixin(RejectedFormMixin):
    """The pages of one row, with its inlines."""

    #: Changes that an offer may ask for: functions of the request and a row's id. They
    #: run in the form's transaction, before it is saved, and check the permission.
    acceptable: ClassVar[Mapping[str, Callable[[HttpRequest, str], None]]] = {}

    def accept_offers(self, request: HttpRequest) -> None:
        """:raises PermissionDenied: if the page does not offer that"""
        for accepted in set(request.POST.getlist(ACCEPTED)) - {SAVE_ANYWAY}:
            name, _, pk = accepted.partition(":")
            if name not in self.acceptable or not pk.isdecimal():
                raise PermissionDenied
            self.acceptable[name](request, pk)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
        rejection = get_rejection(request)
        if rejection is None:
            return form
        show = partial(self.show_rejection, request, rejection=rejection)
        return make_rejected(form, add_no_error if rejection.prefix else show)

    def get_inline_formsets(
        self,
        request: HttpRequest,
        formsets: Any,
        inline_instances: Any,
        obj: Any = None,
    ) -> Any:
        """Show the error in the row that it is about; here all rows are validated."""
        rejection = get_rejection(request)
        if rejection is not None and rejection.prefix:
            for inline, formset in zip(inline_instances, formsets, strict=True):
                for form in formset.forms:
                    if form.prefix == rejection.prefix:
                        inline.show_rejection(request, form, rejection)
        return super().get_inline_formsets(  # type: ignore[misc]
            request, formsets, inline_instances, obj
        )


def make_rejected(form: Any, show: Callable[[Any], None]) -> Any:
    """Return a form class whose forms are never valid; ``show`` adds the error."""

    class RejectedForm(form):
        def is_valid(self) -> bool:
            super().is_valid()
            return False

        def full_clean(self) -> None:
            super().full_clean()
            show(self)

    return RejectedForm


def add_no_error(form: Any) -> None:
    """Leave the error to the row that it is about."""


def show_in_dialog(request: HttpRequest, form: Any, error: Exception) -> HttpResponse:
    """Render the inside of an open dialog again, with what was typed and the error."""
    offers = form.get_offers(error) if hasattr(form, "get_offers") else []
    add_error(form, error, getattr(form, "error_fields", {}), offers)
    return render(request, "back_office/rejected_dialog.html", {"form": form})


def get_rejection(request: HttpRequest) -> Rejection | None:
    return getattr(request, "rejection", None)


def add_error(
    form: Any,
    error: Exception,
    error_fields: Mapping[type[Exception], str],
    offers: list[Offer],
) -> None:
    """Add an error to the field that it is about, or to the form."""
    if isinstance(error, ValidationError) and hasattr(error, "error_dict"):
        messages = {name: " ".join(said) for name, said in error.message_dict.items()}
    else:
        messages = {error_fields.get(type(error), NON_FIELD_ERRORS): _say(error)}
    for key, message in messages.items():
        name = key if key in form.fields else key.removesuffix("_id")
        text = _with_offers(message, offers) if offers else message
        form.add_error(name if name in form.fields else None, text)


def _say(error: Exception) -> str:
    return BUSY if isinstance(error, OperationalError) else message_for(error)


def _with_offers(message: str, offers: list[Offer]) -> str:
    buttons = render_to_string("back_office/offers.html", {"offers": offers})
    return format_html("{} {}", message, buttons)

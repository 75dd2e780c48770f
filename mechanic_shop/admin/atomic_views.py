"""Views of the admin that run in a transaction and show what rejected them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from mechanic_shop.core.transactions import run_with_retries

from .confirmed_actions import forget_confirmation, was_confirmed
from .double_submit import AlreadySubmitted, FormToken, new_token, was_saved
from .edit_conflicts import FIELD as VERSION_FIELD
from .edit_conflicts import get_edit_conflict
from .error_messages import REJECTIONS, message_for
from .rejected_forms import (
    ACCEPTED,
    Hint,
    Rejection,
    RowRejected,
    may_succeed_later,
)


class AtomicModelAdmin(ModelAdmin):
    """Run the views that write in transactions; the base of ``ShopModelAdmin``."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        args = (request, object_id, form_url, extra_context)
        return self.atomic_view(
            *(request, self._form_view, *args[1:]),
            on_rejection=lambda error: self._rejected_form_view(error, *args),
        )

    def _form_view(
        self,
        request: HttpRequest,
        object_id: str | None,
        form_url: str,
        extra_context: dict[str, Any] | None,
    ) -> HttpResponse:
        context = {
            **(extra_context or {}),
            "form_token": new_token(),
            **self.form_context(request, object_id),
        }
        if request.method == "POST":
            self.accept_offers(request)
        response: HttpResponse = super().changeform_view(
            request, object_id, form_url, context
        )
        # A row that is gone by now redirects to where it was.
        if get_edit_conflict(request) and not response.has_header("Location"):
            response.status_code = HTTPStatus.CONFLICT
        return response

    def _rejected_form_view(
        self,
        error: Exception,
        request: HttpRequest,
        object_id: str | None,
        form_url: str,
        extra_context: dict[str, Any] | None,
    ) -> HttpResponse:
        """Show a form again; it keeps the version that it was typed on."""
        rejection = Rejection.of(error)
        request.rejection = rejection  # type: ignore[attr-defined]
        request.edit_conflict = None  # type: ignore[attr-defined]
        context = {
            **(extra_context or {}),
            "form_token": new_token(),
            "form_version": request.POST.get(VERSION_FIELD, ""),
        }
        if isinstance(rejection.error, Hint):
            context["errors"] = None  # a hint is none: nothing has to be corrected
        response: HttpResponse = super().changeform_view(
            request, object_id, form_url, context
        )
        if rejection.is_for_later:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return response

    def delete_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return self.atomic_view(request, super().delete_view, *args, **kwargs)

    def changelist_view(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        view = super().changelist_view

        def ask_again(error: Exception) -> HttpResponse:
            """Show the question about the selected rows again: they stay selected."""
            if not was_confirmed(request):
                return self._redirect_with(request, error)
            forget_confirmation(request)
            self.message_user(request, message_for(error), messages.ERROR)
            response: HttpResponse = view(request, *args, **kwargs)
            return response

        return self.atomic_view(request, view, *args, on_rejection=ask_again, **kwargs)

    def atomic_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        *args: Any,
        on_rejection: Callable[[Exception], HttpResponse] | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """Run a view in a transaction; if it is rejected, run ``on_rejection``.

        Without it, redirect to the same page with a message. The error is caught
        outside of the transaction: caught inside, what was written before it would be
        committed.
        """
        if request.method != "POST":
            return view(request, *args, **kwargs)
        token = FormToken(request)
        try:
            return run_with_retries(
                lambda: _run_atomic(request, token, view, *args, **kwargs)
            )
        except AlreadySubmitted as done:
            self.message_user(request, str(done), messages.INFO)
            return HttpResponseRedirect(done.location or request.get_full_path())
        except (*REJECTIONS, RowRejected) as error:
            return (on_rejection or partial(self._redirect_with, request))(error)
        except OperationalError as error:
            if on_rejection is None or not may_succeed_later(error):
                raise
            return on_rejection(error)

    def _redirect_with(self, request: HttpRequest, error: Exception) -> HttpResponse:
        self.message_user(request, message_for(error), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


def _run_atomic(
    request: HttpRequest,
    token: FormToken,
    view: Callable[..., HttpResponse],
    *args: Any,
    **kwargs: Any,
) -> HttpResponse:
    try:
        with transaction.atomic():
            token.lock()
            response = view(request, *args, **kwargs)
            if was_saved(response):
                token.mark_used(response.get("Location", ""))
            elif ACCEPTED in request.POST:
                transaction.set_rollback(True)
            return response
    except Exception:
        # The messages of the view are about changes that were rolled back.
        vars(messages.get_messages(request))["_queued_messages"] = []
        raise

"""Forms that take effect once, even if they are submitted twice.

A form is rendered with a random token. The first post marks the token as used, in the
transaction of the effect; a second post waits for the first and then only shows a
message. A form without a token, such as a script's, is not protected.
"""

from __future__ import annotations

from hashlib import sha256

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import get_random_string

from mechanic_shop.core.models import IdempotencyKey

from .error_messages import user_of

FIELD = "_once"
MESSAGE = "This was done already; it was not done a second time."


class AlreadySubmitted(Exception):
    """The same form was submitted before and took effect."""

    def __init__(self, location: str) -> None:
        super().__init__(MESSAGE)
        self.location = location


class FormToken:
    """The token of one posted form."""

    def __init__(self, request: HttpRequest) -> None:
        self.pk = _get_token_pk(request)

    def lock(self) -> None:
        """Wait for the same form's other request; call it in the effect's transaction.

        :raises AlreadySubmitted: if the other request took effect
        """
        if self.pk is None:
            return
        row = IdempotencyKey.objects.select_for_update().filter(pk=self.pk).first()
        if row is not None and row.answered_at is not None:
            raise AlreadySubmitted(row.body)

    def mark_used(self, location: str) -> None:
        """Mark the token as used; a second request is redirected to ``location``."""
        if self.pk is None:
            return
        # No save(): the effect may have been to delete this very user with its keys.
        IdempotencyKey.objects.filter(pk=self.pk).update(
            status=302, body=location, answered_at=timezone.now()
        )


def new_token() -> str:
    return get_random_string(32)


def with_token(form: type[forms.Form]) -> type[forms.Form]:
    """Add a hidden token field to a dialog's form."""
    key = forms.CharField(required=False, initial=new_token, widget=forms.HiddenInput)
    return type(form.__name__, (form,), {FIELD: key})


def was_saved(response: HttpResponse) -> bool:
    """Return whether a form was saved, and not shown again with its errors."""
    # A saved popup does not redirect: it renders a page that closes the window.
    is_popup = "popup_response" in str(getattr(response, "template_name", ""))
    return response.status_code == 302 or is_popup


def _get_token_pk(request: HttpRequest) -> int | None:
    key = request.POST.get(FIELD)
    if not key:
        return None
    # The prefix keeps the tokens of forms apart from the keys of the API.
    prefixed = f"back office\n{key}".encode("utf-8", "surrogatepass")
    row, _ = IdempotencyKey.objects.get_or_create(
        user_id=user_of(request).pk, digest=sha256(prefixed).hexdigest()
    )
    return row.pk

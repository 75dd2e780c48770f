"""Forms that act once, however often somebody clicks.

A form is rendered with a random key. Whoever posts it first marks the key as used, in
the transaction of the effect; the second post waits for the first and then only tells
that it was done. A form without a key (a script's) is not looked after.
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
TOLD = "This was done already; it was not done a second time."


class DoneAlready(Exception):
    """The very same form took effect a moment ago."""

    def __init__(self, location: str) -> None:
        super().__init__(TOLD)
        self.location = location


class Once:
    """The key of one posted form."""

    def __init__(self, request: HttpRequest) -> None:
        self.pk = _row_of(request)

    def begin(self) -> None:
        """Queue up behind a twin, within the transaction of the effect.

        :raises DoneAlready: if a twin took effect
        """
        if self.pk is None:
            return
        row = IdempotencyKey.objects.select_for_update().filter(pk=self.pk).first()
        if row is not None and row.answered_at is not None:
            raise DoneAlready(row.body)

    def end(self, location: str) -> None:
        """Mark the key as used; ``location`` is where a twin is sent."""
        if self.pk is None:
            return
        # No save(): the effect may have been to delete this very user with its keys.
        IdempotencyKey.objects.filter(pk=self.pk).update(
            status=302, body=location, answered_at=timezone.now()
        )


def fresh_key() -> str:
    return get_random_string(32)


def acting_once(form: type[forms.Form]) -> type[forms.Form]:
    """Give a dialog's form a key of its own."""
    key = forms.CharField(required=False, initial=fresh_key, widget=forms.HiddenInput)
    return type(form.__name__, (form,), {FIELD: key})


def took_effect(answer: HttpResponse) -> bool:
    """Tell a form that was saved from one that is shown again with its errors."""
    # A window that was popped up for one field closes itself with a page of its own.
    pops_down = "popup_response" in str(getattr(answer, "template_name", ""))
    return answer.status_code == 302 or pops_down


def _row_of(request: HttpRequest) -> int | None:
    key = request.POST.get(FIELD)
    if not key:
        return None
    # A word of its own: a key of the API never meets one of a form.
    spelled = f"back office\n{key}".encode("utf-8", "surrogatepass")
    row, _ = IdempotencyKey.objects.get_or_create(
        user_id=user_of(request).pk, digest=sha256(spelled).hexdigest()
    )
    return row.pk

"""Who is in front of the screen, and what they are told when something is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest

from mechanic_shop.core.errors import ShopError

if TYPE_CHECKING:
    from mechanic_shop.accounts.models import User

#: What a service or the database raises to say no.
REFUSALS = (ShopError, ValidationError, IntegrityError)


def user_of(request: HttpRequest) -> User:
    """Return who is signed in; the admin site lets nobody else in."""
    assert request.user.is_authenticated
    return request.user


def sentence_of(refusal: Exception) -> str:
    """Put a refusal into words for the person in front of the screen."""
    if isinstance(refusal, ShopError):
        return refusal.message
    if isinstance(refusal, ValidationError):
        return " ".join(refusal.messages)
    return "Somebody changed this just now. Try again."

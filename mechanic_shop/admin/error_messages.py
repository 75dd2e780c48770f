"""The signed-in user, and user-facing error messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest

from mechanic_shop.core.errors import ShopError

if TYPE_CHECKING:
    from mechanic_shop.accounts.models import User

#: What a service or the database raises when it rejects a change.
REJECTIONS = (ShopError, ValidationError, IntegrityError)


def user_of(request: HttpRequest) -> User:
    """Return the signed-in user; the admin site admits nobody else."""
    assert request.user.is_authenticated
    return request.user


def message_for(error: Exception) -> str:
    """Return the message that a user sees for one of ``REJECTIONS``."""
    if isinstance(error, ShopError):
        return error.message
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    return "Somebody changed this just now. Try again."

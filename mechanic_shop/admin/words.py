"""Who is in front of the screen, and what they are told when something is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError
from django.http import HttpRequest
from rest_framework.exceptions import APIException

from mechanic_shop.accounts.models import User
from mechanic_shop.core.errors import ShopError

#: What a service or the database raises to say no.
REFUSALS = (ShopError, APIException, IntegrityError)


def user_of(request: HttpRequest) -> User:
    """Return who is signed in; the admin site lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user


def sentence_of(refusal: Exception) -> str:
    """Put a refusal into words for the person in front of the screen."""
    if isinstance(refusal, ShopError):
        return refusal.message
    if isinstance(refusal, APIException):
        return " ".join(_sentences_in(refusal.detail))
    return "Somebody changed this just now. Try again."


def _sentences_in(detail: Any) -> list[str]:
    if isinstance(detail, Mapping):
        detail = list(detail.values())
    if isinstance(detail, list):
        return [sentence for item in detail for sentence in _sentences_in(item)]
    return [str(detail)]

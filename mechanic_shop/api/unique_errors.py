"""Answer a lost race for a unique value as the serializer's validator would."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model
from rest_framework.serializers import BaseSerializer


@cache
def has_unique_values(model: type[Model]) -> bool:
    """Return whether another row may stand in a new one's way."""
    return bool(model._meta.total_unique_constraints) or any(
        field.unique and not field.primary_key for field in model._meta.concrete_fields
    )


def save_or_raise_validation_error(
    save: Callable[[BaseSerializer[Any]], None], serializer: BaseSerializer[Any]
) -> None:
    """Save; raise the validator's error if a unique value was taken meanwhile.

    The database has the last word on uniqueness. When it refuses, validating again
    finds the other row and raises the same 400 that a later request would get.
    """
    if not has_unique_values(serializer.Meta.model):  # type: ignore[attr-defined]
        save(serializer)
        return
    try:
        with transaction.atomic():
            save(serializer)
    except IntegrityError:
        for name in ("_validated_data", "_errors"):
            if hasattr(serializer, name):
                delattr(serializer, name)
        serializer.is_valid(raise_exception=True)
        raise

"""Fields whose error names the choices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers


def listed(values: Iterable[Any]) -> str:
    return ", ".join(map(str, values))


class ListedChoiceField(serializers.ChoiceField):
    """One of a few codes; the error for another value lists them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.error_messages["invalid_choice"] = (
            f'"{{input}}" is none of the choices: {listed(self.choices)}.'
        )

"""Text in one line, as names, phone numbers and addresses are.

A line break in a name would add lines to a mail, a label or a printed page, and other
control characters can change how the rest of a line looks.
"""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

#: Unicode's control characters, and its own line and paragraph separators.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def validate_one_line(text: str) -> None:
    """:raises ValidationError: if the text has line breaks or control characters"""
    if CONTROL.search(text):
        raise ValidationError(
            "Write this in one line, without tabs and other control characters.",
            code="one_line",
        )


class OneLineField(models.CharField):
    """A ``CharField`` for what people type into one line."""

    default_validators = [validate_one_line]

    def deconstruct(self) -> Any:
        """Be a ``CharField`` in migrations: the column is the same."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

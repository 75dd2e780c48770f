"""Numbers and booleans of request bodies, as JSON writes them and forms send them.

Python reads more than that: ``1_000``, ``1e1``, blanks and the digits of all scripts.
What a client means by these nobody knows, so they are an error.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils import html

WHOLE_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
DECIMAL_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", re.ASCII)


class WholeNumberField(serializers.IntegerField):
    """An integer, also as the digits that a form sends."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and not WHOLE_NUMBER.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class DecimalNumberField(serializers.DecimalField):
    """A decimal number, also as the text that a form sends."""

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, str) and not DECIMAL_NUMBER.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class SentBooleanField(serializers.BooleanField):
    """A boolean whose default counts where a form leaves it out.

    For DRF a missing one is a checkbox that was not ticked. That is true of a browser's
    form alone, which sends its CSRF token, too.
    """

    def get_value(self, dictionary: Any) -> Any:
        is_form = html.is_html_input(dictionary)
        if is_form and {self.field_name, "csrfmiddlewaretoken"}.isdisjoint(dictionary):
            return empty
        return super().get_value(dictionary)

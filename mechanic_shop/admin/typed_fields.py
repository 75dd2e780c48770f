"""Form fields that lose nothing of what is typed or pasted.

An input of the type ``number`` drops a decimal comma before anybody sees it: ``15,65``
becomes 1565. ``maxlength`` cuts what is pasted. So numbers are typed as text, with the
number keys on a phone, and the server says what is wrong with a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from mechanic_shop.core.typed_numbers import (
    UnreadableNumber,
    read_decimal,
    read_whole_number,
)


class NumberInput(UnfoldAdminTextInputWidget):
    """A text input that brings up the number keys of a phone."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "off", **(attrs or {})})


class WholeNumberField(forms.IntegerField):
    """A whole number; a fraction is refused and never read as more digits."""

    widget = NumberInput

    def to_python(self, value: Any) -> int | None:
        return super().to_python(_read(value, read_whole_number))

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        # The number keys of phones have no minus.
        is_positive = self.min_value is not None and self.min_value >= 0  # type: ignore[operator]
        keys = {"inputmode": "numeric"} if is_positive else {}
        return {**super().widget_attrs(widget), **keys}


class DecimalNumberField(forms.DecimalField):
    """A number with a decimal point or comma."""

    widget = NumberInput

    # django-stubs take every number field for one of integers.
    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        return super().to_python(_read(value, read_decimal))

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "inputmode": "decimal"}


class CentsField(DecimalNumberField):
    """An amount typed in whole currency units and kept in cents."""

    def __init__(self, *, max_cents: int, **kwargs: Any) -> None:
        super().__init__(
            min_value=Decimal(0),
            max_value=Decimal(max_cents) / 100,
            decimal_places=2,
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return f"{Decimal(value) / 100:.2f}" if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        amount = super().clean(value)
        return None if amount is None else int(amount * 100)

    def has_changed(self, initial: Any, data: Any) -> bool:
        before = Decimal(initial) / 100 if isinstance(initial, int) else initial
        return super().has_changed(before, data)


#: ``formfield_overrides`` of all pages and rows.
NUMBER_FIELDS: Mapping[type[models.Field[Any, Any]], Mapping[str, Any]] = {
    models.IntegerField: {"form_class": WholeNumberField, "widget": NumberInput},
    models.BigIntegerField: {"form_class": WholeNumberField, "widget": NumberInput},
    models.DecimalField: {"form_class": DecimalNumberField, "widget": NumberInput},
}


class TypedFieldsMixin:
    """Take the ``maxlength`` off the fields of a model's pages and rows."""

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        keep_all_pasted([field] if field else [])
        return field


def keep_all_pasted(fields: Iterable[forms.Field]) -> None:
    """Let the server say that a text is too long, instead of cutting it."""
    for field in fields:
        field.widget.attrs.pop("maxlength", None)


def _read(value: Any, read: Callable[[str], Any]) -> Any:
    if not isinstance(value, str) or not value.strip():
        return None if isinstance(value, str) else value
    try:
        return read(value)
    except UnreadableNumber as error:
        raise forms.ValidationError(str(error), code="invalid") from error

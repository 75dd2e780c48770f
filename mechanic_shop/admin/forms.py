"""Fields of forms, and what a form changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Model
from unfold.widgets import UnfoldAdminDecimalFieldWidget


def changes_of(obj: Model, form: forms.ModelForm) -> dict[str, Any]:
    """Collect what a form changed, as the model's own ``clean`` left it."""
    return {name: getattr(obj, name) for name in form.changed_data}


def become(obj: Model, saved: Model) -> None:
    """Make a form's instance the row that a service saved, for what comes after."""
    vars(obj).update(vars(saved))


class CentsField(forms.DecimalField):
    """An amount typed in whole currency units and kept in cents."""

    def __init__(self, *, max_cents: int, **kwargs: Any) -> None:
        super().__init__(
            min_value=Decimal(0),
            max_value=Decimal(max_cents) / 100,
            decimal_places=2,
            widget=UnfoldAdminDecimalFieldWidget,
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

"""Fields of forms, and what a form changed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Model
from unfold.widgets import UnfoldAdminDecimalFieldWidget


def changes_of(obj: Model, form: forms.ModelForm) -> dict[str, Any]:
    """Collect what a form changed, as the model's own ``clean`` left it."""
    return {name: getattr(obj, name) for name in form.changed_data}


def become(obj: Model, saved: Model) -> None:
    """Make a form's instance the row that a service saved, for what comes after."""
    vars(obj).update(vars(saved))


class KnownSelect(AutocompleteSelect):
    """A select that looks its rows up, except for the one that is loaded already.

    Django's asks the database for the label in each row of an inline.
    """

    known: Model | None = None

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        known = self.known
        if known is None or [str(pk) for pk in value] != [str(known.pk)]:
            return super().optgroups(name, value, attr)
        label = self.choices.field.label_from_instance(known)
        options = [self.create_option(name, known.pk, label, True, 0)]
        if not self.is_required:
            options.insert(0, self.create_option(name, "", "", False, 0))
        return [(None, options, 0)]


def know_rows(form: forms.ModelForm) -> None:
    """Hand the rows that an inline's row was loaded with to its selects."""
    for name, field in form.fields.items():
        if isinstance(field.widget, KnownSelect) and form.instance.pk is not None:
            field.widget.known = getattr(form.instance, name)


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

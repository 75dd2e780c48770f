"""How a list is filtered by hand: each parameter with a control that fits it."""

from __future__ import annotations

from typing import Any

from django import forms
from django_filters.rest_framework import FilterSet

from ..filters import StrictBooleanFilter, UTCDateTimeFormField
from .labels import with_code

Choices = list[tuple[str, str]]


def controls_of(filterset: FilterSet) -> forms.Form:
    """Return the form of a filter set as people want it; what it takes stays."""
    form: forms.Form = filterset.form
    form.label_suffix = ""
    for name, field in form.fields.items():
        zone = " (UTC)" if isinstance(field, UTCDateTimeFormField) else ""
        field.label = name.replace("_", " ").capitalize() + zone
        field.help_text = with_code(str(field.help_text))
    form.full_clean()  # by the widgets that read repeated parameters
    for name, field in form.fields.items():
        if isinstance(field, UTCDateTimeFormField):
            field.widget = MomentInput()
        elif choices := _choices_of(filterset, name):
            field.widget = forms.Select(choices=choices)
    return form


def _choices_of(filterset: FilterSet, name: str) -> Choices:
    """List the values of a parameter that has few, and what else was typed."""
    columns = {column.name: column for column in filterset._meta.model._meta.fields}
    if isinstance(filterset.filters[name], StrictBooleanFilter):
        known: Choices = [("true", "yes"), ("false", "no")]
    else:
        known = list(getattr(columns.get(name), "choices", None) or ())
    typed = filterset.data.get(name, "")
    is_new = known and typed not in {"", *(value for value, _ in known)}
    return [("", "any"), *known, *([(typed, typed)] if is_new else [])] if known else []


class MomentInput(forms.DateTimeInput):
    """A picker, which knows no zones: what it shows is in UTC."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:
        try:
            moment = UTCDateTimeFormField().clean(value)
        except forms.ValidationError:
            return None
        return moment.strftime("%Y-%m-%dT%H:%M") if moment else None

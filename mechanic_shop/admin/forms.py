"""Select widgets, formsets of inlines, and the values that a form changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Model
from unfold.forms import PaginationInlineFormSet

#: No id or page number has more digits.
MAX_DIGITS = 18


def is_number(text: object) -> bool:
    """Return whether an address or a form holds an id or a page number."""
    digits = str(text)
    return digits.isascii() and digits.isdecimal() and len(digits) <= MAX_DIGITS


def changed_values(obj: Model, form: forms.ModelForm) -> dict[str, Any]:
    """Return the fields that a form changed, with the values after ``clean()``."""
    return {name: getattr(obj, name) for name in form.changed_data}


def copy_state(obj: Model, saved: Model) -> None:
    """Copy a row that a service saved onto the form's instance.

    The admin goes on with its own instance: it logs it and saves its inlines.
    """
    vars(obj).update(vars(saved))


class PreloadedSelect(AutocompleteSelect):
    """An autocomplete that does not query for a row that is loaded already.

    Django's own runs a query for the label in each row of an inline, and crashes if the
    address or a rejected form holds something else than an id.
    """

    loaded: Model | None = None

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        value = [pk for pk in value if is_number(pk)]
        loaded = self.loaded
        if loaded is None or [str(pk) for pk in value] != [str(loaded.pk)]:
            return super().optgroups(name, value, attr)
        label = self.choices.field.label_from_instance(loaded)
        options = [self.create_option(name, loaded.pk, label, True, 0)]
        if not self.is_required:
            options.insert(0, self.create_option(name, "", "", False, 0))
        return [(None, options, 0)]


def preload_selects(form: forms.ModelForm) -> None:
    """Give an inline row's loaded relations to its select widgets."""
    for name, field in form.fields.items():
        if isinstance(field.widget, PreloadedSelect) and form.instance.pk is not None:
            field.widget.loaded = getattr(form.instance, name)


class ShopInlineFormSet(PaginationInlineFormSet):
    def get_page_num(self) -> int:
        """Read the page as unfold does, whose own crashes on digits like ``²``."""
        for values in (self.request.GET, self.request.POST):
            page = values.get(self.get_pagination_key())
            if is_number(page) and int(page):
                return int(page)
        return 1

    def get_unique_error_message(self, unique_check: Sequence[str]) -> str:
        fields = self.form.base_fields
        names = [str(fields[name].label) for name in unique_check if name in fields]
        same = " and ".join(names).lower()
        return f"The same {same} stands on two rows. Keep one of them."

    def get_form_error(self) -> str:
        return "This row repeats another one."


class ReadOnlyFormSet(ShopInlineFormSet):
    """Rows that are shown: what the request says of them is not even read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "data": None, "files": None})

    def is_valid(self) -> bool:
        return True

"""Detect edit conflicts in admin forms (optimistic locking).

A form carries the version of the row that it shows. A post compares that version with
the locked row. If they differ, nothing is saved: the person sees their own input again,
the stored values beside it, and who changed the row. Saving again overwrites it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from mechanic_shop.core.locking import lock_row

from .error_messages import REJECTIONS
from .read_only import ReadOnlyAdminMixin

FIELD = "_seen"
SALT = "back office: the version of a row"
#: How many of the other people's changes a message lists.
MAX_CHANGES_SHOWN = 5


@dataclass(frozen=True)
class FormVersion:
    """The version of a row that a form shows, and when it was read."""

    version: str
    at: datetime

    def sign(self) -> str:
        return signing.dumps([self.version, self.at.timestamp()], salt=SALT)

    @classmethod
    def from_post(cls, request: HttpRequest) -> FormVersion | None:
        """Read the version of a posted form; scripts post forms without one."""
        if FIELD not in request.POST:
            return None
        try:
            version, at = signing.loads(request.POST[FIELD], salt=SALT)
        except signing.BadSignature:
            # Forged, or signed with a retired key: treat it as a conflict.
            return cls("", timezone.now())
        return cls(
            version, datetime.fromtimestamp(at, tz=timezone.get_default_timezone())
        )


@dataclass(frozen=True)
class EditConflict:
    """The changes that others made to a row while its form was open."""

    row: Model
    changes: list[str]


class EditConflictMixin:
    """Compare versions when a change form is posted."""

    change_form_before_template = "back_office/form_marks.html"

    def form_context(
        self, request: HttpRequest, object_id: str | None
    ) -> dict[str, Any]:
        """Return what ``form_marks.html`` writes into the form.

        On a post this locks the row and compares. The version is read before the
        fields: a change in between is then reported twice at worst, and never missed.
        """
        request.edit_conflict = None  # type: ignore[attr-defined]
        at = timezone.now()
        row = self._row_to_compare(request, object_id)
        if row is None:
            return {}
        now = FormVersion(self.version_of(request, row), at)
        before = FormVersion.from_post(request) if request.method == "POST" else None
        if before and before.version != now.version:
            conflict = EditConflict(row, self.changes_since(request, row, before.at))
            request.edit_conflict = conflict  # type: ignore[attr-defined]
            # The note about the conflict replaces "correct the errors".
            return {
                "form_version": now.sign(),
                "edit_conflict": conflict,
                "errors": None,
            }
        return {"form_version": now.sign()}

    def _row_to_compare(self: Any, request: HttpRequest, object_id: str | None) -> Any:
        row = self.get_object(request, unquote(object_id)) if object_id else None
        if row is None or not self.has_change_permission(request, row):
            return None
        if request.method != "POST":
            return row
        try:
            return lock_row(row)
        except REJECTIONS:
            return None  # deleted meanwhile, which the view reports

    def version_of(self, request: HttpRequest, row: Any) -> str:
        """Return a digest of everything that this person's form can overwrite."""
        state = [_values(row, self._editable_fields(request, row)), _related(row)]
        state += [
            _inline_rows(self, inline, row)
            for inline in self._editable_inlines(request, row)
        ]
        text = json.dumps(state, cls=DjangoJSONEncoder, default=str)
        return sha256(text.encode()).hexdigest()[:32]

    def _editable_fields(self: Any, request: HttpRequest, row: Model) -> list[str]:
        """List the editable columns; stock, which is read-only, may change."""
        read_only = {*self.get_readonly_fields(request, row), "password"}
        columns = row._meta.concrete_fields
        return [
            column.attname
            for column in columns
            if column.editable and column.name not in read_only
        ]

    def _editable_inlines(self: Any, request: HttpRequest, row: Model) -> list[Any]:
        inlines = self.get_inlines(request, row)
        return [
            inline for inline in inlines if not issubclass(inline, ReadOnlyAdminMixin)
        ]

    def changes_since(
        self: Any, request: HttpRequest, row: Any, at: datetime
    ) -> list[str]:
        """Say who changed a row and when; the values may be hidden from this person."""
        entries = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            action_time__gte=at - timedelta(seconds=1),
        )
        newest = entries.select_related("user").order_by("-pk")[:MAX_CHANGES_SHOWN]
        return [
            f"{entry.user.full_name or entry.user} saved it at {format_time(entry)}."
            for entry in newest
        ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
        conflict = get_edit_conflict(request)
        return with_stored_values(form, conflict.row) if conflict else form

    def _create_formsets(
        self, request: HttpRequest, obj: Any = None, change: bool = False
    ) -> Any:
        formsets, inlines = super()._create_formsets(request, obj, change)  # type: ignore[misc]
        if get_edit_conflict(request):
            for formset in formsets:
                show_stored_rows(formset)
        return formsets, inlines


def get_edit_conflict(request: HttpRequest) -> EditConflict | None:
    return getattr(request, "edit_conflict", None)


def format_time(entry: LogEntry) -> str:
    return f"{timezone.localtime(entry.action_time):%H:%M}"


def with_stored_values(
    form: type[forms.ModelForm], row: Model
) -> type[forms.ModelForm]:
    """Make a form invalid, and show the stored value beside each field that differs."""

    class FormWithStoredValues(form):  # type: ignore[misc, valid-type]
        def is_valid(self) -> bool:
            super().is_valid()
            return False

        def full_clean(self) -> None:
            # Read first: cleaning writes the input onto the instance.
            stored = {
                name: _format_stored(self, name, row) for name in self.changed_data
            }
            super().full_clean()
            for name, value in stored.items():
                self.add_error(name, f"Stored by now: {value}")

    return FormWithStoredValues


def show_stored_rows(formset: Any) -> None:
    """Show the stored value beside each field of an inline's rows that differs."""
    for form in formset.initial_forms:
        if form._errors is not None:
            continue  # read-only: nothing of it was posted
        names = [
            name
            for name in form.changed_data
            if name not in {"DELETE", formset.fk.name, form._meta.model._meta.pk.name}
        ]
        stored = {name: _format_stored(form, name, form.instance) for name in names}
        form.full_clean()
        for name, value in stored.items():
            form.add_error(name, f"Stored by now: {value}")


def _format_stored(form: forms.ModelForm, name: str, row: Model) -> str:
    """Format a stored value as the form's field would show it."""
    field, value = (
        form.fields[name],
        form.get_initial_for_field(form.fields[name], name),
    )
    if isinstance(field, forms.ModelChoiceField) and hasattr(row, name):
        related = getattr(row, name)
        value = (
            ", ".join(map(str, related.all())) if hasattr(related, "all") else related
        )
    elif isinstance(field, forms.ChoiceField):
        value = dict(_pairs(field)).get(value, value)
    elif isinstance(field, forms.BooleanField):
        value = "yes" if value else "no"
    else:
        value = field.prepare_value(value)
    return "nothing" if value in (None, "") else str(value)


def _pairs(field: Any) -> list[tuple[Any, Any]]:
    return list(field.choices)


def _values(row: Model, names: list[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _related(row: Model) -> list[Any]:
    """Read the ids of all many-to-many relations, such as a user's groups."""
    fields = row._meta.many_to_many
    return [
        sorted(getattr(row, field.name).values_list("pk", flat=True))
        for field in fields
    ]


def _inline_rows(page: Any, inline: Any, row: Model) -> list[Any]:
    """Read the rows of an inline that can be edited on the page."""
    from django.forms.models import _get_foreign_key

    key = _get_foreign_key(type(row), inline.model, fk_name=inline.fk_name)
    rows = inline.model._default_manager.filter(**{key.attname: row.pk})
    return list(rows.order_by("pk").values_list())

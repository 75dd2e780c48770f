"""Nobody saves a form over somebody else's newer change without being told.

A form carries the version of the row that it shows. A post is compared with the row as
it is under the lock. If it is another one, nothing is saved: the person sees their own
input again, what is stored beside it, and who changed it. To save once more is then
their decision.
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

from .error_messages import REFUSALS
from .read_only import ReadOnly

FIELD = "_seen"
SALT = "back office: the version of a row"
#: How many of the changes in between are told.
TOLD_AT_MOST = 5


@dataclass(frozen=True)
class Seen:
    """Which version of a row a form shows, and since when."""

    version: str
    at: datetime

    def mark(self) -> str:
        return signing.dumps([self.version, self.at.timestamp()], salt=SALT)

    @classmethod
    def in_post(cls, request: HttpRequest) -> Seen | None:
        """Read the mark of a posted form; a form without one is a script's."""
        if FIELD not in request.POST:
            return None
        try:
            version, at = signing.loads(request.POST[FIELD], salt=SALT)
        except signing.BadSignature:
            # Forged, or signed with a key that is out of use by now: ask again.
            return cls("", timezone.now())
        return cls(
            version, datetime.fromtimestamp(at, tz=timezone.get_default_timezone())
        )


@dataclass(frozen=True)
class NewerChange:
    """What happened to a row while somebody had its form open."""

    row: Model
    told: list[str]


class TellsNewerChanges:
    """The part of a model's pages that compares versions."""

    change_form_before_template = "back_office/form_marks.html"

    def marks(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        """Collect what the template writes into the form.

        On a post this takes the row's lock and compares. The version is read before
        the fields are: a change in between is then told once too often, never missed.
        """
        request.newer_change = None  # type: ignore[attr-defined]
        at = timezone.now()
        row = self._row_to_mark(request, object_id)
        if row is None:
            return {}
        now = Seen(self.version_of(request, row), at)
        before = Seen.in_post(request) if request.method == "POST" else None
        if before and before.version != now.version:
            newer = NewerChange(row, self.changes_since(request, row, before.at))
            request.newer_change = newer  # type: ignore[attr-defined]
            # The note of what happened takes the place of "correct the errors".
            return {"seen_mark": now.mark(), "newer_change": newer, "errors": None}
        return {"seen_mark": now.mark()}

    def _row_to_mark(self: Any, request: HttpRequest, object_id: str | None) -> Any:
        row = self.get_object(request, unquote(object_id)) if object_id else None
        if row is None or not self.has_change_permission(request, row):
            return None
        if request.method != "POST":
            return row
        try:
            return lock_row(row)
        except REFUSALS:
            return None  # deleted meanwhile, which the view tells

    def version_of(self, request: HttpRequest, row: Any) -> str:
        """Digest what a form of this person would overwrite."""
        state = [_values(row, self._open_fields(request, row)), _related(row)]
        state += [
            _rows_below(self, inline, row) for inline in self._open_below(request, row)
        ]
        spelled = json.dumps(state, cls=DjangoJSONEncoder, default=str)
        return sha256(spelled.encode()).hexdigest()[:32]

    def _open_fields(self: Any, request: HttpRequest, row: Model) -> list[str]:
        """Name the columns that are typed. Stock, which is only shown, may move."""
        closed = {*self.get_readonly_fields(request, row), "password"}
        columns = row._meta.concrete_fields
        return [
            column.attname
            for column in columns
            if column.editable and column.name not in closed
        ]

    def _open_below(self: Any, request: HttpRequest, row: Model) -> list[Any]:
        inlines = self.get_inlines(request, row)
        return [inline for inline in inlines if not issubclass(inline, ReadOnly)]

    def changes_since(
        self: Any, request: HttpRequest, row: Any, at: datetime
    ) -> list[str]:
        """Say who changed a row and when; not what, which not everybody may know."""
        entries = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            action_time__gte=at - timedelta(seconds=1),
        )
        newest = entries.select_related("user").order_by("-pk")[:TOLD_AT_MOST]
        return [
            f"{entry.user.full_name or entry.user} saved it at {clock(entry)}."
            for entry in newest
        ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
        newer = newer_change_of(request)
        return beside_stored(form, newer.row) if newer else form

    def _create_formsets(
        self, request: HttpRequest, obj: Any = None, change: bool = False
    ) -> Any:
        formsets, inlines = super()._create_formsets(request, obj, change)  # type: ignore[misc]
        if newer_change_of(request):
            for formset in formsets:
                tell_stored_rows(formset)
        return formsets, inlines


def newer_change_of(request: HttpRequest) -> NewerChange | None:
    return getattr(request, "newer_change", None)


def clock(entry: LogEntry) -> str:
    return f"{timezone.localtime(entry.action_time):%H:%M}"


def beside_stored(form: type[forms.ModelForm], row: Model) -> type[forms.ModelForm]:
    """Make a form refuse, and show beside each field that differs what is stored."""

    class BesideStored(form):  # type: ignore[misc, valid-type]
        def is_valid(self) -> bool:
            super().is_valid()
            return False

        def full_clean(self) -> None:
            # Before the input is written onto it, the instance is what is stored.
            stored = {name: _shown(self, name, row) for name in self.changed_data}
            super().full_clean()
            for name, value in stored.items():
                self.add_error(name, f"Stored by now: {value}")

    return BesideStored


def tell_stored_rows(formset: Any) -> None:
    """Show beside each field of an inline's rows that differs what is stored."""
    for form in formset.initial_forms:
        if form._errors is not None:
            continue  # only shown: nothing of it was posted
        names = [
            name
            for name in form.changed_data
            if name not in {"DELETE", formset.fk.name, form._meta.model._meta.pk.name}
        ]
        stored = {name: _shown(form, name, form.instance) for name in names}
        form.full_clean()
        for name, value in stored.items():
            form.add_error(name, f"Stored by now: {value}")


def _shown(form: forms.ModelForm, name: str, row: Model) -> str:
    """Write a stored value the way the form's field would."""
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
    """Read the ids of what a row is tied to many times over, as a user to groups."""
    fields = row._meta.many_to_many
    return [
        sorted(getattr(row, field.name).values_list("pk", flat=True))
        for field in fields
    ]


def _rows_below(page: Any, inline: Any, row: Model) -> list[Any]:
    """Read the rows of an inline that can be edited on the page."""
    from django.forms.models import _get_foreign_key

    key = _get_foreign_key(type(row), inline.model, fk_name=inline.fk_name)
    rows = inline.model._default_manager.filter(**{key.attname: row.pk})
    return list(rows.order_by("pk").values_list())

"""Serializers that refuse what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any, TypeVar

from django.db import models
from django.db.models import Model, QuerySet
from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from mechanic_shop.core.emails import normalize_email, validate_ascii_email

from .choice_fields import ListedChoiceField
from .compiled_serializers import CompiledModelSerializer
from .detail_sections import get_sections
from .errors import MAX_ERRORS
from .plain_fields import DecimalNumberField, SentBooleanField, WholeNumberField

M = TypeVar("M", bound=Model)

#: What an HTML form sends beside its fields.
FORM_FIELDS = frozenset({"csrfmiddlewaretoken", "_method", "_content"})

SCALARS = (
    serializers.IntegerField,
    serializers.DateTimeField,
    serializers.CharField,
    serializers.BooleanField,
)


class UTCDateTimeField(serializers.DateTimeField):
    """A time in UTC with a ``Z``, whatever the shop's own time zone is."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("default_timezone", UTC)
        super().__init__(**kwargs)


class BlankIsNullMixin(serializers.CharField):
    """A text that is null when absent, also when it is absent as an empty string."""

    def run_validation(self, data: Any = empty) -> Any:
        if self.allow_null and isinstance(data, str) and self.is_blank(data):
            data = None
        return super().run_validation(data)

    def is_blank(self, text: str) -> bool:
        return not text.strip()


@extend_schema_field({"type": "string", "format": "email", "maxLength": 254})
class NormalizedEmailField(BlankIsNullMixin, serializers.EmailField):
    """An email address in the one spelling that is stored and compared."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if validate_ascii_email not in self.validators:
            self.validators.append(validate_ascii_email)

    def to_internal_value(self, data: Any) -> str:
        return normalize_email(super().to_internal_value(data))


class VisibleRelatedField(serializers.PrimaryKeyRelatedField[M]):
    """A reference by id to a row that the caller may see; all else does not exist."""

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("read_only"):
            kwargs.setdefault("pk_field", WholeNumberField())
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> M:
        """Take over what the row refers to already, even if it is no longer visible."""
        row = getattr(self.parent, "instance", None)
        present = getattr(row, self.source or "", None)
        if present is not None and str(data) == str(present.pk):
            return present  # type: ignore[no-any-return]
        return super().to_internal_value(data)

    def get_queryset(self) -> QuerySet[M]:
        queryset = super().get_queryset()
        visible: QuerySet[M] = queryset.visible_to(self.context["request"].user)  # type: ignore[union-attr]
        return visible


class StrictFieldsMixin(serializers.Serializer[Any]):
    """Name unknown fields, and read-only ones that somebody tries to change.

    Derived and nested values are simply ignored, so that a client can send back what it
    was given. ``ignored_fields`` of ``Meta`` adds names that are not fields at all.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            self._reject_unknown_fields(data)
        return super().to_internal_value(data)

    def _reject_unknown_fields(self, data: Mapping[str, Any]) -> None:
        derived = self._ignored_fields()
        errors: dict[str, list[str]] = {}
        own = FORM_FIELDS if isinstance(data, QueryDict) else frozenset()
        for name in data:
            if len(errors) == MAX_ERRORS:
                break
            field = self.fields.get(name)
            if field is None:
                if name not in own and name not in derived:
                    errors[str(name)] = ["This field is not known."]
            elif (
                field.read_only
                and name not in derived
                and self._changes(field, data[name])
            ):
                errors[str(name)] = ["This field cannot be changed."]
        if errors:
            raise serializers.ValidationError(errors)

    def _ignored_fields(self) -> set[str]:
        """Name what may be sent back as it was shown, and means nothing."""
        meta = getattr(self, "Meta", None)
        model = getattr(meta, "model", None)
        sections = get_sections(model) if model else ()
        derived = getattr(meta, "ignored_input_fields", ())
        return {*derived, *(section.name for section in sections)}

    def _changes(self, field: serializers.Field[Any, Any, Any, Any], sent: Any) -> bool:
        if not isinstance(field, SCALARS):
            return False
        if self.instance is None:
            return sent is not None
        present = field.get_attribute(self.instance)
        if isinstance(field, serializers.DateTimeField) and sent is not None:
            return bool(self._parse_datetime(field, sent) != present)
        if present is not None:
            present = field.to_representation(present)  # type: ignore[arg-type]
        return bool(sent != present and str(sent) != str(present))

    @staticmethod
    def _parse_datetime(field: serializers.DateTimeField, sent: Any) -> Any:
        """Read a time, so that ``Z`` and ``+00:00`` are the same."""
        try:
            return field.to_internal_value(sent)
        except serializers.ValidationError:
            return sent


class StrictSerializer(StrictFieldsMixin, serializers.Serializer[Any]):
    """The base of request bodies that are no model."""


class ReadOnlyModelSerializer(CompiledModelSerializer[M]):
    """The base of rows that are only shown."""


class StrictModelSerializer(StrictFieldsMixin, CompiledModelSerializer[M]):
    """The base of every resource: strict, times in UTC, one spelling of emails."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: UTCDateTimeField,
        models.EmailField: NormalizedEmailField,
        models.BooleanField: SentBooleanField,
        models.DecimalField: DecimalNumberField,
        models.PositiveIntegerField: WholeNumberField,
        models.PositiveSmallIntegerField: WholeNumberField,
    }
    serializer_choice_field = ListedChoiceField

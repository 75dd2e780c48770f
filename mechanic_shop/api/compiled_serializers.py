"""Serializers that look up what each field does once, instead of for each row.

DRF makes all fields of a serializer for each request and asks each of them for its
attribute and its representation. Here that is done with fields that were made once for
the class, and a plain field's attribute is read without the field. The result is always
DRF's: a field of which this is not certain is asked as DRF asks it, and a serializer
that may have other fields at each request is left to DRF altogether.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from operator import attrgetter
from typing import Any, ClassVar, TypeAlias, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.fields import Field, SkipField
from rest_framework.relations import PKOnlyObject

M = TypeVar("M", bound=Model)
AnyField: TypeAlias = "Field[Any, Any, Any, Any]"
#: Takes the serializer at work and a row, returns the value of one field.
Step = Callable[["CompiledModelSerializer[Any]", Any], Any]

#: The fields whose representation depends on their value and their options alone.
PLAIN = (
    serializers.BooleanField,
    serializers.CharField,
    serializers.ChoiceField,
    serializers.DateField,
    serializers.DateTimeField,
    serializers.DecimalField,
    serializers.FloatField,
    serializers.IntegerField,
    serializers.JSONField,
    serializers.PrimaryKeyRelatedField,
)
#: A serializer with an own one of these may have other fields at each request.
FIELD_HOOKS = (
    *("__init__", "fields", "_readable_fields", "get_field_names"),
    *("get_extra_kwargs", "include_extra_kwargs", "build_field"),
)


class CompiledModelSerializer(serializers.ModelSerializer[M]):
    """Represent rows by compiled steps; the result is the same as DRF's.

    ``hidden_fields`` names what this caller may not see.
    """

    _compiled: ClassVar[dict[tuple[type, frozenset[str]], dict[str, Step]]] = {}

    def hidden_fields(self) -> frozenset[str]:
        return frozenset()

    def get_fields(self) -> dict[str, AnyField]:
        hidden = self.hidden_fields()
        fields = super().get_fields()
        return {name: fields[name] for name in fields if name not in hidden}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        # Fields that were made already may have been changed since.
        if "fields" in vars(self) or isinstance(instance, Mapping) or not self._steps:
            return super().to_representation(instance)
        try:
            return {name: step(self, instance) for name, step in self._steps.items()}
        except (AttributeError, KeyError, ObjectDoesNotExist, SkipField):
            # Whether there is a default, nothing at all or an error, DRF knows.
            return super().to_representation(instance)

    @cached_property
    def _steps(self) -> dict[str, Step]:
        key = (type(self), self.hidden_fields())
        if key not in self._compiled:
            self._compiled[key] = _compile(*key)
        return self._compiled[key]

    @cached_property
    def _own_fields(self) -> dict[str, AnyField]:
        """Copies of fields of the class that belong to this very serializer."""
        return {}


def _compile(
    kind: type[CompiledModelSerializer[Any]], hidden: frozenset[str]
) -> dict[str, Step]:
    """Return the step of each field; none if the fields may not always be the same."""
    if not _always_has_the_same_fields(kind):
        return {}
    template = kind(context={})
    template.hidden_fields = lambda: hidden  # type: ignore[method-assign]
    return {str(f.field_name): _step_of(f) for f in template._readable_fields}


def _always_has_the_same_fields(kind: type[CompiledModelSerializer[Any]]) -> bool:
    return kind.get_fields is CompiledModelSerializer.get_fields and all(
        getattr(kind, hook) is getattr(serializers.ModelSerializer, hook)
        for hook in FIELD_HOOKS
    )


def _step_of(field: AnyField) -> Step:
    if _is_exactly(field, serializers.SerializerMethodField):
        method = str(field.method_name)  # type: ignore[attr-defined]
        return lambda serializer, row: getattr(serializer, method)(row)
    if not any(_is_exactly(field, kind) for kind in PLAIN):
        return _own_step(field)
    if type(field).get_attribute is not Field.get_attribute or field.source == "*":
        return lambda _, row: _as_drf_asks(field, row)
    return _plain_step(field)


def _is_exactly(field: AnyField, kind: type[AnyField]) -> bool:
    """Return whether a field is represented by this kind's own code."""
    return (
        type(field).to_representation is kind.to_representation
        and type(field).get_attribute is kind.get_attribute
    )


def _plain_step(field: AnyField) -> Step:
    get, represent = attrgetter(str(field.source)), field.to_representation

    def step(serializer: CompiledModelSerializer[Any], row: Any) -> Any:
        value = get(row)
        if value is None:
            return None
        return _as_drf_asks(field, row) if callable(value) else represent(value)

    return step


def _own_step(field: AnyField) -> Step:
    """Ask a field that may want to know its serializer, and by it the request."""
    name = str(field.field_name)

    def step(serializer: CompiledModelSerializer[Any], row: Any) -> Any:
        own = serializer._own_fields.get(name)
        if own is None:
            own = serializer._own_fields[name] = deepcopy(field)
            own.bind(name, serializer)
        return _as_drf_asks(own, row)

    return step


def _as_drf_asks(field: AnyField, row: Any) -> Any:
    value = field.get_attribute(row)
    known = value.pk if isinstance(value, PKOnlyObject) else value
    return None if known is None else field.to_representation(value)

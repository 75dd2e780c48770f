"""Serializers that represent rows by a plan made once.

DRF makes all fields of a serializer anew for each request and asks each field of each
row for its attribute and its representation. For the field types of this API both are
known beforehand, so a plan of plain functions is made at the first use and kept. Field
types that it does not know are asked as DRF asks them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, ClassVar

from django.db.models import Manager
from rest_framework import serializers
from rest_framework.fields import Field

Row = Any
#: Takes the serializer at work and a row, returns the value of one field.
Step = Callable[["PreparedMixin", Row], Any]


class PreparedMixin(serializers.Serializer[Any]):
    """Represent by plan; ``hidden_fields`` names what this caller may not see."""

    _plans: ClassVar[dict[tuple[type, frozenset[str]], list[tuple[str, Step]]]] = {}

    def hidden_fields(self) -> frozenset[str]:
        return frozenset()

    def get_fields(self) -> dict[str, Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for name in self.hidden_fields():
            fields.pop(name)
        return fields

    def to_representation(self, instance: Row) -> dict[str, Any]:
        return {name: step(self, instance) for name, step in self._plan}

    @property
    def _plan(self) -> list[tuple[str, Step]]:
        plan = self.__dict__.get("_own_plan")
        if plan is None:
            key = (type(self), self.hidden_fields())
            plan = self._plans.get(key) or self._plans.setdefault(key, _make(*key))
            self._own_plan = plan
        return plan

    def nested(self, name: str, serializer: type[PreparedMixin]) -> PreparedMixin:
        """Return the serializer of a nested field, with this one's context."""
        children = self.__dict__.setdefault("_nested", {})
        if name not in children:
            children[name] = serializer(context=self.context)
        child: PreparedMixin = children[name]
        return child


def _make(
    serializer: type[PreparedMixin], hidden: frozenset[str]
) -> list[tuple[str, Step]]:
    # Without a context nothing is hidden, and no request is kept alive by the plan.
    template = serializer(context={})
    return [
        (name, _step(field))
        for name, field in template.fields.items()
        if not field.write_only and name not in hidden
    ]


def _step(field: Field[Any, Any, Any, Any]) -> Step:
    if isinstance(field, serializers.SerializerMethodField):
        method = attrgetter(str(field.method_name))
        return lambda serializer, row: method(serializer)(row)
    if isinstance(field, serializers.ListSerializer):
        return _rows_step(field)
    if isinstance(field, PreparedMixin):
        return _row_step(field)
    convert = _converter(field)
    if convert is None or field.source == "*":
        return _drf_step(field)
    if isinstance(field, serializers.PrimaryKeyRelatedField):
        return _value_step(f"{field.source}_id", convert)
    return _value_step(field.source or "", convert)


def _value_step(source: str, convert: Callable[[Any], Any]) -> Step:
    get = attrgetter(source)

    def step(serializer: PreparedMixin, row: Row) -> Any:
        value = get(row)
        return None if value is None else convert(value)

    return step


def _row_step(field: PreparedMixin) -> Step:
    get, name, nested = attrgetter(str(field.source)), field.field_name, type(field)

    def step(serializer: PreparedMixin, row: Row) -> Any:
        value = get(row)
        if value is None:
            return None
        return serializer.nested(str(name), nested).to_representation(value)

    return step


def _rows_step(field: serializers.ListSerializer[Any]) -> Step:
    get, name, nested = attrgetter(str(field.source)), field.field_name, field.child
    if not isinstance(nested, PreparedMixin):
        return _drf_step(field)
    kind = type(nested)

    def step(serializer: PreparedMixin, row: Row) -> Any:
        represent = serializer.nested(str(name), kind).to_representation
        values = get(row)
        rows = values.all() if isinstance(values, Manager) else values
        return [represent(value) for value in rows]

    return step


def _drf_step(field: Field[Any, Any, Any, Any]) -> Step:
    def step(serializer: PreparedMixin, row: Row) -> Any:
        value = field.get_attribute(row)
        return None if value is None else field.to_representation(value)

    return step


def _converter(field: Field[Any, Any, Any, Any]) -> Callable[[Any], Any] | None:
    """Find how a value becomes JSON; none if only the field itself knows."""
    for kind, convert in CONVERTERS.items():
        if isinstance(field, kind):
            return convert
    return None


def utc_text(moment: datetime) -> str:
    """Write a time as DRF does in UTC: ``2026-03-02T08:15:00Z``."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat()[:-6]}Z"


CONVERTERS: Mapping[type, Callable[[Any], Any]] = {
    serializers.PrimaryKeyRelatedField: int,
    serializers.ChoiceField: str,
    serializers.CharField: str,
    serializers.IntegerField: int,
    serializers.BooleanField: bool,
    serializers.FloatField: float,
    serializers.DecimalField: float,
    serializers.DateTimeField: utc_text,
    serializers.DateField: lambda day: day.isoformat(),
    serializers.JSONField: lambda value: value,
}

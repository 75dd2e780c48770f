"""How a body is typed: DRF's forms, made for people and for a shop with many rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.relations import RelatedField
from rest_framework.renderers import HTMLFormRenderer

from .labels import with_code

#: More rows than this are not listed in a select: it takes an id instead.
SELECT_LIMIT = 100
#: A text that may be longer than this gets more than one line.
LINE_LENGTH = 255

Style = dict[str, Any]


class ShopFormRenderer(HTMLFormRenderer):
    """Forms whose labels belong to their fields, and whose selects stay short."""

    method = ""

    def render(
        self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
    ) -> Any:
        # Two forms of a page may have a field of the same name.
        self.method = data.serializer.context["request"].method
        return super().render(data, accepted_media_type, renderer_context)

    def render_field(self, field: Any, parent_style: Mapping[str, Any]) -> Any:
        kind = field._field
        kind.style = {**kind.style, **style_of(kind, field.value)}
        return super().render_field(field, parent_style)


def style_of(field: Any, present: Any) -> Style:
    style: Style = {"hint": with_code(str(field.help_text or ""))}
    if field.default is not empty and not callable(field.default):
        style["placeholder"] = str(field.default)
    if isinstance(field, RelatedField):
        return style | style_of_relation(field, present)
    if isinstance(field, serializers.CharField):
        is_long = (field.max_length or 0) > LINE_LENGTH
        return style | ({"base_template": "textarea.html"} if is_long else {})
    return style


def style_of_relation(relation: RelatedField[Any, Any, Any], present: Any) -> Style:
    """List the rows to choose from or, where there are too many, ask for an id."""
    choices = relation.get_choices(cutoff=SELECT_LIMIT + 1)
    if len(choices) > SELECT_LIMIT:
        return {
            "base_template": "input.html",
            "input_type": "number",
            "hint": f"More than {SELECT_LIMIT} to choose from: type the id.",
        }
    options = {str(key): f"{key}: {text}" for key, text in choices.items()}
    # A row may refer to one that can no longer be chosen, and keeps it.
    if present not in (None, "") and str(present) not in options:
        options = {str(present): str(present), **options}
    return {"options": options}

"""Shapes of bodies: what serializers say, as strict as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.drainage import get_override
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance, get_lib_doc_excludes
from rest_framework.fields import CharField

from .. import serializers
from ..compiled_serializers import CompiledModelSerializer
from ..detail_sections import get_sections
from .parameters import path_id

Schema = dict[str, Any]

CHANGES_A_ROW = frozenset({"update", "partial_update"})
#: Python trims more than JavaScript's ``\s`` knows.
NOT_BLANK = r"[^\s\x1C-\x1F\x85]"


class BodyShapes(AutoSchema):
    """Bodies in JSON; unknown fields are rejected, and responses are complete."""

    if TYPE_CHECKING:
        view: Any

    def map_parsers(self) -> list[str]:
        """JSON in, JSON out; forms are for the browsable API alone."""
        return ["application/json"]

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def _get_serializer_name(
        self, serializer: Any, direction: Any, bypass_extensions: bool = False
    ) -> str:
        """Call the body of an update what it is: ``PartChanges``."""
        name = super()._get_serializer_name(serializer, direction, bypass_extensions)
        if not name.startswith("Patched"):
            return name
        return f"{name.removeprefix('Patched').removesuffix('Request')}Changes"

    def _get_paginator(self) -> Any:
        paginator = super()._get_paginator()  # type: ignore[no-untyped-call]
        if paginator is not None:
            paginator.results_key = getattr(self.view, "results_key", "results")
        return paginator

    def _resolve_path_parameters(self, variables: list[str]) -> list[Schema]:
        return [path_id(name) for name in variables]

    def _get_request_for_media_type(
        self, serializer: Any, direction: Any = "request"
    ) -> Any:
        """Let PUT and PATCH of a row be partial, and no other PATCH."""
        serializer = force_instance(serializer)
        if hasattr(serializer, "partial"):
            serializer.partial = self.view.action in CHANGES_A_ROW
        method, self.method = self.method, "POST"  # which changes nothing of its own
        try:
            return super()._get_request_for_media_type(serializer, direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = method

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Schema:
        schema: Schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "request":
            self._be_strict(schema, serializer)
        else:
            self._be_complete(schema, serializer)
            self._add_sections(schema, serializer)
        return schema

    def _add_sections(self, schema: Schema, serializer: Any) -> None:
        """Name what other apps add to details, and only to them."""
        if not isinstance(serializer, serializers.StrictModelSerializer):
            return
        for section in get_sections(serializer.Meta.model):
            shape = self.resolve_serializer(section.serializer_class, "response").ref
            schema["properties"][section.name] = {
                "allOf": [shape],
                "nullable": True,
                "description": "Only where one row is shown.",
            }

    @staticmethod
    def _be_complete(schema: Schema, serializer: Any) -> None:
        """Say what is always there; a response need not say that it is read-only."""
        meta = getattr(serializer, "Meta", None)
        absent, schema_not_null = (
            set(getattr(meta, name, ()))
            for name in ("schema_optional", "schema_not_null")
        )
        schema["required"] = sorted(schema["properties"].keys() - absent)
        for name, shape in schema["properties"].items():
            shape.pop("readOnly", None)
            if name in schema_not_null:
                shape.pop("nullable", None)

    @staticmethod
    def _be_strict(schema: Schema, serializer: Any) -> None:
        """Say that blanks are no text where one is needed, and what is not known."""
        for name, shape in schema["properties"].items():
            field = serializer.fields[name]
            if "format" not in shape and _needs_text(field):
                shape.setdefault("pattern", NOT_BLANK)
            own = get_override(field, "field", {})
            if "minLength" in own:  # which "not blank" has replaced by 1
                shape["minLength"] = own["minLength"]
        if isinstance(serializer, serializers.StrictFieldsMixin):
            schema["additionalProperties"] = False

    def _get_serializer_field_meta(self, field: Any, direction: Any) -> Schema:
        """Leave out titles: they are the back office's words for a column."""
        meta: Schema = super()._get_serializer_field_meta(field, direction)  # type: ignore[no-untyped-call]
        meta.pop("title", None)
        return meta

    def _insert_field_validators(self, field: Any, schema: Schema) -> None:
        """Document a text as it is when it is there; "" says that it is not."""
        super()._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]
        if "oneOf" in schema:
            schema |= schema.pop("oneOf")[0]

    def _get_examples(self, serializer: Any, direction: Any, *args: Any) -> Any:
        """Show the example of the response where requests have their own."""
        shown = super()._get_examples(serializer, direction, *args)  # type: ignore[no-untyped-call]
        if shown or direction == "request":
            return shown
        media_type, status, *_ = args
        own = get_override(getattr(serializer, "child", serializer), "examples", [])
        return super()._get_examples(serializer, direction, media_type, status, own)  # type: ignore[no-untyped-call]


def _needs_text(field: Any) -> bool:
    is_text = isinstance(field, CharField) and field.trim_whitespace
    return is_text and not field.allow_blank


def bases_without_words() -> list[type]:
    """Name the classes whose docstrings say nothing about what is derived from them."""
    return [
        *get_lib_doc_excludes(),
        serializers.StrictFieldsMixin,
        serializers.StrictSerializer,
        serializers.StrictModelSerializer,
        serializers.ReadOnlyModelSerializer,
        CompiledModelSerializer,
    ]

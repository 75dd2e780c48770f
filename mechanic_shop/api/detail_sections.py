"""Read-only blocks that apps add to the details of rows of other apps.

A section is in every response that shows one row as its own address does, and so in its
ETag; it is in no list, and what a body says of it is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from mechanic_shop.core.registry import DetailSection, detail_sections


def get_sections(model: type[Model]) -> list[DetailSection]:
    return [section for section in detail_sections if section.model is model]


def add_sections(
    row: Model, detail: Mapping[str, Any], context: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return a detail with the sections that apps add to rows of this kind."""
    sections = get_sections(type(row))
    if not sections:
        return detail
    added = {section.name: _render(section, row, context) for section in sections}
    return {**detail, **added}


def _render(section: DetailSection, row: Model, context: Mapping[str, Any]) -> Any:
    value = section.read(row, context["request"].user)
    if value is None:
        return None
    return section.serializer_class(value, context=context).data

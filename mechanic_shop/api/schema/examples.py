"""Examples in the OpenAPI document: what people would send and get."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework.serializers import BaseSerializer

#: When everything in the examples happened.
THEN = "2026-03-02T08:15:00Z"


def request_example(title: str = "A request", /, **body: Any) -> OpenApiExample:
    """Show a body that can be sent."""
    return OpenApiExample(title, value=body, request_only=True)


def set_response_example(serializer: type[BaseSerializer[Any]], example: Any) -> None:
    """Show an example in every response that has this serializer's shape."""
    shown = OpenApiExample("A response", value=example, response_only=True)
    extend_schema_serializer(examples=[shown])(serializer)

"""Which body a form shows: what was sent, as long as it is one that the form takes."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.settings import api_settings


def of_the_view(data: Any, view: Any) -> Any:
    """Return what was made by the view's serializer, whose fields are the form's.

    What another one made, like the response of an action, would make another form.
    """
    serializer = getattr(data, "serializer", None)
    if serializer is None or isinstance(serializer, view.get_serializer_class()):
        return data
    return None


def with_what_was_typed(data: Any, errors: Any, view: Any, request: Request) -> Any:
    """Put any refusal into the shape of a serializer's, which keeps what was sent."""
    if hasattr(data, "serializer") or not hasattr(view, "get_serializer"):
        return data
    try:
        body = request.data
    except APIException:
        return data
    serializer = view.get_serializer(data=body)
    serializer.is_valid()
    elsewhere = {api_settings.NON_FIELD_ERRORS_KEY: errors}
    serializer._errors = errors if isinstance(errors, dict) else elsewhere
    return serializer.errors


def is_json(request: Request) -> bool:
    """Return whether there is a body that could be read as JSON."""
    try:
        return bool(request.data) and request.content_type == "application/json"
    except APIException:
        return False

"""How operations fail: in one schema, whatever the status is."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from ..errors import reason_phrase

REQUEST_ID = "3f0c8a52d1b94e7f9a6e5c1d2b3a4f50"


class ErrorSerializer(serializers.Serializer[Any]):
    """The body of every response that is not a success."""

    error = serializers.CharField(help_text="The status line: `404 Not Found`.")
    message = serializers.CharField(help_text="A sentence for people.")
    code = serializers.CharField(help_text="A stable identifier for programs.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="With a 400: the errors of each field. Those that concern no single"
        " field are under `non_field_errors`.",
    )
    requested = serializers.IntegerField(
        required=False, help_text="With `insufficient_stock`: how many were asked for."
    )
    available = serializers.IntegerField(
        required=False, help_text="With `insufficient_stock`: how many there are."
    )
    allowed = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="With `illegal_move`: the statuses that the ticket may take now.",
    )
    request_id = serializers.CharField(
        help_text="The same as in the header `X-Request-ID`; quote it when you ask for"
        " help."
    )

    class Meta:
        schema_optional = ("fields", "requested", "available", "allowed")


#: Of each status that an operation may get without doing anything for it: what it
#: means, and what the response says.
FAILURES: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "The request is not valid; `fields` names the errors.",
        {
            "message": "phone: This field may not be blank.",
            "code": "invalid",
            "fields": {"phone": ["This field may not be blank."]},
        },
    ),
    401: (
        "The token is missing or no longer valid.",
        {
            "message": "Authentication credentials were not provided.",
            "code": "not_authenticated",
        },
    ),
    403: (
        "The caller does not have the permission.",
        {
            "message": "You do not have permission to perform this action.",
            "code": "permission_denied",
        },
    ),
    404: (
        "There is no such row, or the caller may not see it.",
        {"message": "There is nothing here that you may see.", "code": "not_found"},
    ),
    409: (
        "A rule of the shop, or the current state, forbids this.",
        {
            "message": "Somebody changed this just now. Try again.",
            "code": "conflict",
        },
    ),
    412: (
        "The row has changed since the `If-Match` version; nothing was changed.",
        {
            "message": "This was changed since you read it. Read it again and decide.",
            "code": "precondition_failed",
        },
    ),
    413: (
        "The body is over 1 MB.",
        {"message": "The body is too large.", "code": "content_too_large"},
    ),
    415: (
        "The body is not JSON.",
        {
            "message": 'Unsupported media type "text/plain" in request.',
            "code": "unsupported_media_type",
        },
    ),
    422: (
        "The `Idempotency-Key` was used for another request.",
        {
            "message": "This Idempotency-Key was used for another request.",
            "code": "idempotency_key_reused",
        },
    ),
    429: (
        "The rate limit is reached; `Retry-After` says how many seconds to wait.",
        {
            "message": "Rate limit exceeded. Try again in 42 seconds.",
            "code": "throttled",
        },
    ),
    503: (
        "The database is unavailable or too busy. Nothing was done: send the request"
        " again.",
        {
            "message": "The database does not answer. Try again soon.",
            "code": "database_unavailable",
        },
    ),
}


def failure(status: int, description: str = "", **body: Any) -> OpenApiResponse:
    """Describe how an operation of its own fails, beyond what all share."""
    meaning, usual = FAILURES[status]
    value = envelope_of(status, {**usual, **body})
    example = OpenApiExample(str(value["code"]), value=value, response_only=True)
    return OpenApiResponse(ErrorSerializer, description or meaning, [example])


def conflict(**codes: str | dict[str, Any]) -> OpenApiResponse:
    """Describe a 409 by its codes, each with its sentence or its parts of the body."""
    meaning = f"{FAILURES[409][0]} Codes: {', '.join(f'`{code}`' for code in codes)}."
    return OpenApiResponse(
        ErrorSerializer,
        meaning,
        [_conflict_example(code, body) for code, body in codes.items()],
    )


def _conflict_example(code: str, body: str | dict[str, Any]) -> OpenApiExample:
    parts = {"message": body} if isinstance(body, str) else body
    value = envelope_of(409, {"code": code, **parts})
    return OpenApiExample(code, value=value, response_only=True)


def envelope_of(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "error": f"{status} {reason_phrase(status)}",
        **body,
        "request_id": REQUEST_ID,
    }

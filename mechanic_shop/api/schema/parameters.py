"""Headers and ids that many operations share, listed once as components."""

from __future__ import annotations

from typing import Any

Component = dict[str, Any]

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}

REQUEST_HEADERS: dict[str, Component] = {
    "Idempotency-Key": {
        "description": "Makes the request safe to send again: it takes effect once, and"
        " for 24 hours the first response is replayed. Any text that none of your"
        " other requests has, such as a UUID.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "If-Match": {
        "description": "The `ETag` of the row as you read it. If it has changed since,"
        " nothing happens and the response is a 412.",
        "schema": TEXT,
    },
    "If-None-Match": {
        "description": "The `ETag` of the row that you have. If it has not changed, the"
        " response is a 304 without a body.",
        "schema": TEXT,
    },
}

RESPONSE_HEADERS: dict[str, Component] = {
    "X-Request-ID": {
        "description": "Identifies this request in the server's logs. A valid one that"
        " the request has is kept.",
        "schema": TEXT,
        "required": True,
    },
    "ETag": {"description": "The version of the row, for `If-Match`.", "schema": TEXT},
    "Idempotency-Replayed": {
        "description": "`true` if this is the stored response to the same request.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "Seconds to wait before the next request.",
        "schema": NUMBER,
        "required": True,
    },
    "WWW-Authenticate": {
        "description": "The authentication scheme.",
        "schema": TEXT,
        "required": True,
    },
    "RateLimit-Limit": {
        "description": "Requests allowed in a window.",
        "schema": NUMBER,
    },
    "RateLimit-Remaining": {
        "description": "How many are left in it.",
        "schema": NUMBER,
    },
    "RateLimit-Reset": {
        "description": "Seconds until the next.",
        "schema": NUMBER,
    },
}


def path_id(name: str) -> Component:
    """Describe an id in a path: ``ticket_id``."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": f"The {name.removesuffix('_id')}'s id.",
        "schema": {"type": "integer", "format": "int64", "minimum": 1},
    }


def request_header(name: str) -> Component:
    return {"name": name, "in": "header", **REQUEST_HEADERS[name]}

"""Operations as a whole: their headers, and every way in which they can fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, build_mock_request
from rest_framework.request import Request

from mechanic_shop.core.app_config import get_public_permissions

from ..atomic_writes import WRITES, is_atomic
from ..errors import reason_phrase
from ..etags import MAY_BE_CONDITIONAL
from ..idempotency import MAY_HAVE_KEY
from ..permissions import ALLOW_ANY, AUTHENTICATED, get_required_permissions
from .components import BodyShapes
from .descriptions import OperationWords
from .parameters import RESPONSE_HEADERS, request_header
from .responses import failure

Schema = dict[str, Any]

SHOWS_A_ROW = frozenset({"create", "retrieve", "update", "partial_update"})
HAS_BODY = frozenset({"POST", "PUT", "PATCH"})
SUCCESSES = {"200": "Done.", "201": "Created.", "204": "Done; there is no body."}
#: Query parameters whose empty value differs from an absent one.
PAGING = frozenset({"page", "per_page"})
RATE_LIMIT = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
HEADERS_OF_FAILURES = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After", *RATE_LIMIT),
    503: ("Retry-After",),
}


class ShopSchema(OperationWords, BodyShapes):
    """What a view set says of itself: words, shapes, headers, and how it fails."""

    @property
    def _is_write(self) -> bool:
        return is_atomic(self.view) and self.method in WRITES

    @property
    def _may_have_key(self) -> bool:
        return self._is_write and self.method in MAY_HAVE_KEY

    @property
    def _may_be_conditional(self) -> bool:
        return bool(
            self._is_write and self.method in MAY_BE_CONDITIONAL and self.view.detail
        )

    @property
    def _is_paginated(self) -> bool:
        return any(schema["name"] == "page" for schema in self._own_parameters)

    def _get_parameters(self) -> list[Schema]:
        self._own_parameters: list[Schema] = super()._get_parameters()
        for parameter in self._own_parameters:
            if parameter["in"] == "query" and parameter["name"] not in PAGING:
                parameter["allowEmptyValue"] = True
        return [*self._own_parameters, *map(self._request_header, self._header_names())]

    def _header_names(self) -> Iterator[str]:
        if self._may_have_key:
            yield "Idempotency-Key"
        if self._may_be_conditional:
            yield "If-Match"
        if self.view.action == "retrieve":
            yield "If-None-Match"

    def _get_response_headers_for_code(
        self, status_code: str, direction: Any = "response"
    ) -> Schema:
        return {
            name: self._component("headers", name, RESPONSE_HEADERS[name])
            for name in self._names_of_answer(int(status_code))
        }

    def _names_of_answer(self, status: int) -> Iterator[str]:
        """Name the headers of a response; those of failures are the same everywhere."""
        is_success = status < 400
        yield "X-Request-ID"
        yield from HEADERS_OF_FAILURES.get(status, ())
        if is_success and self.view.action in SHOWS_A_ROW:
            yield "ETag"
        if is_success and self._may_have_key:
            yield "Idempotency-Replayed"
        if is_success and self.view.action in self.view.action_throttles:
            yield from RATE_LIMIT

    def _get_response_bodies(self, direction: Any = "response") -> Schema:
        answers: Schema = super()._get_response_bodies(direction)
        if self.view.action == "retrieve":
            headers = self._get_response_headers_for_code("304")
            answers["304"] = {"headers": headers, "description": "Nothing has changed."}
        for status in self._failures():
            answers.setdefault(str(status), self._failure(status))
        for code in SUCCESSES.keys() & answers.keys():
            answers[code]["description"] = SUCCESSES[code]
        return dict(sorted(answers.items()))

    def _failures(self) -> Iterator[int]:
        """Name how this operation can fail, by what it is made of."""
        verbs = get_required_permissions(self.view, self.view.action)
        has_body = self.method in HAS_BODY
        if has_body or any(schema["in"] == "query" for schema in self._own_parameters):
            yield 400
        if verbs != ALLOW_ANY:
            yield 401
        if verbs != ALLOW_ANY and (self.method in WRITES or not _is_open(verbs)):
            yield 403
        if "{" in self.path or self._is_paginated:
            yield 404
        if self._is_write:
            yield 409
        if self._may_be_conditional:
            yield 412
        if has_body:
            yield from (413, 415)
        if self._may_have_key:
            yield 422
        if self.view.action in self.view.action_throttles:
            yield 429
        yield 503

    def _failure(self, status: int) -> Schema:
        answer = self._get_response_for_code(failure(status), str(status))  # type: ignore[no-untyped-call]
        name = reason_phrase(status).replace(" ", "")
        return self._component("responses", name, answer)

    def _request_header(self, name: str) -> Schema:
        return self._component("parameters", name, request_header(name))

    def _component(self, kind: str, name: str, schema: Schema) -> Schema:
        """List something once, and refer to it."""
        component = ResolvedComponent(name=name, type=kind, schema=schema, object=name)
        self.registry.register_on_missing(component)
        return dict(component.ref)


def _is_open(permission: str | tuple[str, ...]) -> bool:
    """Return whether everybody who is signed in has a permission."""
    return permission == AUTHENTICATED or permission in get_public_permissions()


class SessionTokenScheme(OpenApiAuthenticationExtension):
    target_class = "mechanic_shop.accounts.authentication.SessionTokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def request_of_the_owner(
    method: str, path: str, view: Any, original_request: Any, **kwargs: Any
) -> Request:
    """Build the request by which views are asked what they show: all that there is."""
    request: Request = build_mock_request(method, path, view, None)
    request.user = get_user_model()(is_active=True, is_superuser=True)
    return request

"""What drf-spectacular needs to know to describe this API as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

STANDARD_ACTIONS = frozenset(
    {"list", "create", "retrieve", "update", "partial_update", "destroy"}
)

Endpoint = tuple[str, str, str, Callable[..., Any]]


class ShopSchema(AutoSchema):
    """Tags by the first part of the path behind ``/api``."""

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.split("/") if part and part != "api"]
        return [parts[0]] if parts else []

    def _get_paginator(self) -> Any:
        paginator = super()._get_paginator()  # type: ignore[no-untyped-call]
        if paginator is not None:
            paginator.collection = getattr(self.view, "collection", "results")
        return paginator

    def get_operation_id(self) -> str:
        """Name an operation for its resource and verb: ``auth_login``."""
        action = getattr(self.view, "action", None)
        if action is None or action in STANDARD_ACTIONS:
            return str(super().get_operation_id())
        return f"{self.get_tags()[0]}_{action}".replace("-", "_")


class SessionTokenScheme(OpenApiAuthenticationExtension):
    target_class = "mechanic_shop.accounts.authentication.SessionTokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def one_path_per_operation(endpoints: list[Endpoint], **kwargs: Any) -> list[Endpoint]:
    """List paths without the optional slash and tickets by their canonical name."""
    return [
        (canonical(path), regex, method, callback)
        for path, regex, method, callback in endpoints
    ]


def canonical(path: str) -> str:
    """Turn a route's pattern into the one spelling of its path that is documented."""
    return path.replace("service[-_]tickets", "service-tickets").rstrip("/?") or "/"

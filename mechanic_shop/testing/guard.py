"""Which operations the URL map has, and which of them a contract is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, get_resolver

from .facts import contracts

ID = re.compile(r"\(\?P<\w+>\[0-9]\+\)")


def operations_with_a_contract() -> list[str]:
    return [rule.operation for kind in contracts() for rule in kind.operations()]


def operations() -> list[str]:
    """Name every method and path that a view set serves."""
    return [
        f"{method.upper()} {path}"
        for path, view in views()
        for method in getattr(view, "actions", ())
        if method in view.cls.http_method_names and method != "head"
    ]


def pages() -> set[str]:
    """Name every path under ``/api`` that is no operation on the shop's data."""
    return {path for path, view in views() if not hasattr(view, "actions")}


def views() -> Iterator[tuple[str, Any]]:
    for path, pattern in _walk(get_resolver()):
        if path.lstrip("^").startswith("api"):
            yield _canonical(path), pattern.callback


def _walk(resolver: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield path, pattern
        else:
            yield from _walk(pattern, path)


def _canonical(path: str) -> str:
    path = ID.sub("{}", path.replace("[-_]", "-"))
    path = path.replace("^", "").removesuffix("$").removesuffix("/?").rstrip("/")
    return path.removeprefix("api") or "/"

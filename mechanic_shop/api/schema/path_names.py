"""The one spelling of each path that is documented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.settings import spectacular_settings

from mechanic_shop.core.route_names import canonical

Endpoint = tuple[str, str, str, Callable[..., Any]]

TAG_ORDER = [tag["name"] for tag in spectacular_settings.TAGS]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def one_path_per_operation(endpoints: list[Endpoint], **kwargs: Any) -> list[Endpoint]:
    """List paths without the optional slash, and tickets by their canonical name."""
    return [
        (with_named_id(canonical(path), callback), regex, method, callback)
        for path, regex, method, callback in endpoints
    ]


def by_tag_and_path(endpoint: Endpoint) -> tuple[int, str, int]:
    """Sort operations as the document introduces their tags, then by path."""
    path, _, method, _ = endpoint
    tag = path.split("/")[2:3]
    order = TAG_ORDER.index(tag[0]) if set(tag) <= set(TAG_ORDER) else len(TAG_ORDER)
    return order, path, METHODS.index(method)


def with_named_id(path: str, callback: Callable[..., Any]) -> str:
    """Call the id of a row as its resource does: ``{ticket_id}``, not ``{pk}``."""
    if "{pk}" not in path:
        return path
    noun = noun_of(callback.cls)  # type: ignore[attr-defined]
    return path.replace("{pk}", f"{{{noun.split()[-1]}_id}}")


def noun_of(view: Any) -> str:
    """Name what a view set is about, as its model does."""
    return str(view.queryset.model._meta.verbose_name)

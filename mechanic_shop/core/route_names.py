"""Names of routes: one spelling of each, and a limited number of them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


#: What was answered before or without a place: unknown paths, bodies refused for their
#: size, redirects to HTTPS.
UNMATCHED = "unmatched"
STATIC = "static"

#: ``(?P<pk>[0-9]+)`` of regular expressions and ``<int:pk>`` of plain patterns.
PARAMETER = re.compile(r"\(\?P<(\w+)>[^()]*\)|<(?:\w+:)?(\w+)>")
PLAIN = re.compile(r"/[\w./{}-]*", re.ASCII)


def route_of(request: HttpRequest) -> str:
    """Name the URL pattern that a request matched, such as ``/api/inventory/{pk}``.

    Never the path itself: it holds ids, and everybody can think of new ones.
    """
    match = request.resolver_match
    if match is not None:
        return _name(match.route)
    return STATIC if request.path.startswith(settings.STATIC_URL) else UNMATCHED


def canonical(path: str) -> str:
    """Turn a route's pattern into the one spelling of its path that is documented."""
    return path.replace("service[-_]tickets", "service-tickets").rstrip("/?") or "/"


@lru_cache(maxsize=1024)
def _name(pattern: str) -> str:
    name = PARAMETER.sub(lambda found: f"{{{found[1] or found[2]}}}", pattern)
    for mark in "^", "$", r"\Z":
        name = name.replace(mark, "")
    name = "/" + canonical(name).lstrip("/")
    # A pattern that anything matches names no place.
    return name if PLAIN.fullmatch(name) else UNMATCHED

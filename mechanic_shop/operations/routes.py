"""Which place of the shop a request went to, in one of a limited number of names."""

from __future__ import annotations

import re
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

from mechanic_shop.api.schema.paths import canonical

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


@lru_cache(maxsize=1024)
def _name(pattern: str) -> str:
    name = PARAMETER.sub(lambda found: f"{{{found[1] or found[2]}}}", pattern)
    for mark in "^", "$", r"\Z":
        name = name.replace(mark, "")
    name = "/" + canonical(name).lstrip("/")
    # A pattern that anything matches names no place.
    return name if PLAIN.fullmatch(name) else UNMATCHED

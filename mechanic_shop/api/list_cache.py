"""Django's ``cache_page`` around the rendering of rows, and around nothing else.

``cache_page`` on a view would keep one entry for each bearer, host and query string,
tell browsers to keep the response, and send it before permissions are checked. So the
caller authenticates, authorises and names the version first, and hands over a function
that renders rows; it is wrapped in a view that always gets the same bare request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_page

logger = logging.getLogger(__name__)

#: Sent with the ``result`` of asking the cache: ``hit``, ``miss`` or ``error``.
cache_asked = Signal()

#: How Django begins the key of what it notes beside each page.
NOTE_PREFIX = "views.decorators.cache.cache_header."


class PageCache(BaseCache):
    """The default cache as ``cache_page`` sees it: one key for each page.

    ``cache_page`` notes beside a page which headers it varies by. Ours never vary by
    any, so the note is always the empty list and need not be stored or fetched.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        if key.startswith(NOTE_PREFIX):
            return []
        return caches["default"].get(key, default, version)

    def set(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        if not key.startswith(NOTE_PREFIX):
            caches["default"].set(key, value, timeout, version)


class FixedRequest(HttpRequest):
    """The one request that ``cache_page`` ever sees: no headers, no query, no host.

    ``cache_page`` puts the absolute URL into its keys. A host that the shop answers to
    is not known here, and must not be part of the key.
    """

    def __init__(self) -> None:
        super().__init__()
        self.method = "GET"
        self.path = self.path_info = "/"

    def get_host(self) -> str:
        return "cache"


def cached_rendering(render: Callable[[], bytes], *, key: str, seconds: int) -> bytes:
    """Return ``render()``, stored under ``key`` for some seconds.

    ``key`` must name everything the result depends on, its version included. A cache
    that is away costs only speed. The process keeps the bytes at hand, too:
    under a key that names their version they are never out of date.
    """
    at_hand = caches["process"].get(key)
    if at_hand is not None:
        cache_asked.send(sender=None, result="hit")
        return bytes(at_hand)
    found = _from_cache(render, key=key, seconds=seconds)
    caches["process"].set(key, found, seconds)
    return found


def _from_cache(render: Callable[[], bytes], *, key: str, seconds: int) -> bytes:
    rendered: list[bytes] = []

    def view(request: HttpRequest) -> HttpResponse:
        rendered.append(render())
        # "public" keeps cache_page from adding "Vary: Authorization" to the entry.
        headers = {"Cache-Control": "public"}
        return HttpResponse(rendered[-1], headers=headers)

    try:
        answer = cache_page(seconds, cache="pages", key_prefix=key)(view)(
            FixedRequest()
        )
    except Exception:
        # Each cache has errors of its own. One of the rendering comes again below.
        logger.warning("The cache does not answer; rendering without it", exc_info=True)
        cache_asked.send(sender=None, result="error")
        return rendered[-1] if rendered else render()
    cache_asked.send(sender=None, result="miss" if rendered else "hit")
    return bytes(answer.content)

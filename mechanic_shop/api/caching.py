"""Django's ``cache_page`` around the rendering of rows, and around nothing else.

``cache_page`` on a view would keep one entry for each bearer, host and query string,
tell browsers to keep the answer, and answer before anyone checked who asks. So the
caller authenticates, authorises and names the version first, and hands over a function
that renders rows; it is wrapped in a view that always gets the same bare request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_page

logger = logging.getLogger(__name__)


class BareRequest(HttpRequest):
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
    that is away costs speed, never an answer.
    """
    rendered: list[bytes] = []

    def view(request: HttpRequest) -> HttpResponse:
        rendered.append(render())
        # "public" keeps cache_page from adding "Vary: Authorization" to the entry.
        headers = {"Cache-Control": "public"}
        return HttpResponse(rendered[-1], headers=headers)

    try:
        answer = cache_page(seconds, key_prefix=key)(view)(BareRequest())
    except Exception:
        # Each cache has errors of its own. One of the rendering comes again below.
        logger.warning("The cache does not answer; rendering without it", exc_info=True)
        return rendered[-1] if rendered else render()
    return bytes(answer.content)

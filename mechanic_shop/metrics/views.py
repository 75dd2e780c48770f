"""``/metrics``: the figures of this server, for who has the token."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with Prometheus' text format; asks neither database nor cache."""
    if not settings.METRICS_TOKEN:
        raise Http404
    expected = f"Bearer {settings.METRICS_TOKEN}"
    if not constant_time_compare(request.headers.get("Authorization", ""), expected):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    # Where metrics are off, no process shall have the client in its memory.
    from prometheus_client import CONTENT_TYPE_LATEST

    from .prometheus import exposition

    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)

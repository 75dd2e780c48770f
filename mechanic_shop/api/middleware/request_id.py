"""Give each request an id, from its first log line to the end of its response."""

import re
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from mechanic_shop.core.request_id import current_request_id

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class RequestIdMiddleware:
    """Give every request an id; take over a caller's when it is a sane one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked_for = request.headers.get(HEADER, "")
        request_id = asked_for if SANE.fullmatch(asked_for) else uuid4().hex
        # Not taken back at the end: Django logs a refusal after the last middleware.
        current_request_id.set(request_id)
        response = self.get_response(request)
        response.headers[HEADER] = request_id
        return response

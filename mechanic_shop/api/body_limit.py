from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .errors import error_response, is_api_path


class BodyLimitMiddleware:
    """Refuse an API body over ``MAX_BODY_BYTES`` before a byte of it is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        too_large = length.isdecimal() and int(length) > settings.MAX_BODY_BYTES
        if too_large and is_api_path(request.path):
            return error_response(
                413,
                "content_too_large",
                f"The body is larger than {settings.MAX_BODY_BYTES} bytes.",
            )
        return self.get_response(request)

from collections.abc import Callable
from io import BytesIO

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from ..errors import error_response, is_api_path


class BodyLimitMiddleware:
    """Refuse an API body over ``MAX_BODY_BYTES`` before it takes any memory.

    A chunked body has no length, and Django reads none without one: it is read here, up
    to the limit, and handed on with its length.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_api_path(request.path):
            return self.get_response(request)
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length and "HTTP_TRANSFER_ENCODING" in request.META:
            length = self._read_chunks(request)
        if length.isdecimal() and int(length) > settings.MAX_BODY_BYTES:
            return error_response(
                413,
                "content_too_large",
                f"The body is larger than {settings.MAX_BODY_BYTES} bytes.",
            )
        return self.get_response(request)

    @staticmethod
    def _read_chunks(request: HttpRequest) -> str:
        raw = request.META["wsgi.input"].read(settings.MAX_BODY_BYTES + 1)
        request._stream = BytesIO(raw)
        request.META["CONTENT_LENGTH"] = str(len(raw))
        return str(len(raw))

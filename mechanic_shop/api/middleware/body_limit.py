"""Refuse large bodies before they are read, and ask the permission of those who may."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from mechanic_shop.core.uploads import MAY_UPLOAD

from ..error_pages import error_page, too_large

View = Callable[..., HttpResponseBase]


class BodyLimitMiddleware:
    """Refuse a body over ``MAX_BODY_BYTES`` before it takes any memory.

    A chunked body has no length, and Django reads none without one: it is read here, up
    to the limit, and handed on with its length.

    It stands before the middleware that looks for the CSRF token in the body, so that
    the permission to upload is asked first.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length and "HTTP_TRANSFER_ENCODING" in request.META:
            length = self._read_chunks(request)
        limit = settings.MAX_BODY_BYTES
        if is_over(length, limit) and takes_uploads(request):
            limit = settings.MAX_UPLOAD_BYTES
        if is_over(length, limit):
            return too_large(request, limit)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, *args: Any
    ) -> HttpResponse | None:
        """Refuse a file from somebody who may not upload any.

        Django's own page for a 403 would look into the body for the CSRF token.
        """
        length = request.META.get("CONTENT_LENGTH") or ""
        if not is_over(length, settings.MAX_BODY_BYTES):
            return None
        may_upload: Callable[[HttpRequest], bool] = getattr(view, MAY_UPLOAD)
        if may_upload(request):
            return None
        return error_page(request, "upload_denied.html", status=403)

    @staticmethod
    def _read_chunks(request: HttpRequest) -> str:
        raw = request.META["wsgi.input"].read(settings.MAX_BODY_BYTES + 1)
        request._stream = BytesIO(raw)
        request.META["CONTENT_LENGTH"] = str(len(raw))
        return str(len(raw))


def is_over(length: str, limit: int) -> bool:
    return length.isdecimal() and int(length) > limit


def takes_uploads(request: HttpRequest) -> bool:
    """Return whether the request's view takes files; a chunked body is none."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        return False
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return False
    return hasattr(view, MAY_UPLOAD)

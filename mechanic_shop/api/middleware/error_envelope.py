"""The envelope for what fails outside of the API's own views."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from ..error_pages import explain_method_not_allowed
from ..errors import error_response, is_api_path

CODES = {
    400: "invalid",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    429: "throttled",
}
STORED_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


class EnvelopeMiddleware:
    """Turn Django's error pages under ``/api`` into the envelope, but not for people.

    Elsewhere, people get a page for the one error for which Django's has no text: 405.

    An unknown host, a form without its CSRF token, the documentation asked by a wrong
    method: Django or a library answers these before any view of ours could.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_api_path(request.path):
            failed = response.status_code >= 400
            fine = not failed or self._is_fine(request, response)
            return response if fine else self._enveloped(response)
        if isinstance(response, HttpResponseNotAllowed):
            explain_method_not_allowed(request, response)
        return response

    @staticmethod
    def _is_fine(request: HttpRequest, response: HttpResponse) -> bool:
        content_type = response.headers.get("Content-Type", "")
        is_page = content_type.startswith("text/html")
        wants_page = "text/html" in request.headers.get("Accept", "")
        may_be_page = settings.BROWSABLE_API and is_page and wants_page
        return content_type == "application/json" or may_be_page

    @staticmethod
    def _enveloped(response: HttpResponse) -> HttpResponse:
        status = HTTPStatus(response.status_code)
        answer = error_response(
            status,
            CODES.get(status, "server_error" if status >= 500 else "invalid"),
            status.description or status.phrase,
        )
        for name in STORED_HEADERS:
            if name in response.headers:
                answer.headers[name] = response.headers[name]
        return answer

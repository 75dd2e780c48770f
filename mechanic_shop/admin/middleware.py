"""What the admin site does not expect of a request."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse


class LargeNumberMiddleware:
    """Answer 400 to a number that neither SQLite nor a date can hold.

    Django turns texts of an address or a form into filters, and checks their type but
    not their size. Only a request brings such a number.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, OverflowError):
            raise BadRequest("A number is too large.") from exception

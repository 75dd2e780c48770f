"""Errors as people see them: the shop's name, a plain sentence, a way back, an id.

Under ``/api`` the same errors have the envelope of ``errors``. The pages need neither
the database nor a context processor and never read the body: any of them may be what
failed.
"""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import escape_leading_slashes, url_has_allowed_host_and_scheme

from mechanic_shop.core.request_id import current_request_id

from .errors import (
    DATABASE_RETRY_SECONDS,
    body_without_database,
    error_response,
    is_api_path,
)

#: Where people go back to, by the first part of the path.
PLACES = {
    "admin": ("admin:index", "To the back office"),
    "my": ("portal:home", "To your vehicles"),
}
LANDING = ("landing", "To the start page")


def error_page(
    request: HttpRequest, template: str, *, status: int, **context: object
) -> HttpResponse:
    """Render an error's page; without ``back_url`` it leads to the nearest start."""
    first_part = request.path.strip("/").partition("/")[0]
    name, label = PLACES.get(first_part, LANDING)
    known = {
        "back_url": reverse(name),
        "back_label": label,
        "request_id": current_request_id.get(),
    }
    return HttpResponse(render_to_string(template, {**known, **context}), status=status)


def same_page(request: HttpRequest) -> str:
    """Return the address asked for; two slashes at its front would name a host."""
    return escape_leading_slashes(request.get_full_path())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api_path(request.path):
        return error_response(400, "invalid", "The request could not be understood.")
    return error_page(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the 403 of a page; ``EnvelopeMiddleware`` turns it into JSON."""
    return error_page(request, "403.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return the 403 of a form without its token, and the way to a new form.

    Buttons stand on other pages than those that they post to, so the page that sent the
    form comes first.
    """
    sent_from = request.headers.get("Referer")
    if not url_has_allowed_host_and_scheme(
        sent_from, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        sent_from = same_page(request)
    return error_page(request, "403_csrf.html", status=403, back_url=sent_from)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the 404 of an unknown path: JSON under ``/api``, a page elsewhere."""
    if is_api_path(request.path):
        return error_response(404, "not_found", "There is nothing at this address.")
    return error_page(request, "404.html", status=404)


def explain_method_not_allowed(request: HttpRequest, response: HttpResponse) -> None:
    """Write a page into Django's empty 405, for whoever opens a button's address."""
    response.content = error_page(request, "405.html", status=405).content
    response["Content-Length"] = str(len(response.content))


def too_large(request: HttpRequest, limit: int) -> HttpResponse:
    """Return the 413 for a body of more than ``limit`` bytes."""
    if is_api_path(request.path):
        message = f"The body is larger than {limit} bytes."
        return error_response(413, "content_too_large", message)
    return error_page(
        request,
        "413.html",
        status=413,
        megabytes=limit // 1024**2,
        back_url=same_page(request),
    )


def too_many_requests(request: HttpRequest, seconds: int) -> HttpResponse:
    """Return the page for whoever is over a limit of a form."""
    response = error_page(
        request,
        "429.html",
        status=429,
        seconds=seconds,
        back_url=same_page(request),
    )
    response["Retry-After"] = str(seconds)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Return a 503 while the database is unavailable, else a 500."""
    exc = sys.exception()  # Django calls this from its except block
    if isinstance(exc, OperationalError | InterfaceError):
        return _unavailable(request, exc)
    if is_api_path(request.path):
        return error_response(500, "server_error", "Something went wrong on our side.")
    return error_page(request, "500.html", status=500)


def _unavailable(request: HttpRequest, exc: BaseException) -> HttpResponse:
    body = body_without_database(exc)
    response = (
        JsonResponse(body, status=503)
        if is_api_path(request.path)
        else error_page(
            request,
            "503.html",
            status=503,
            message=body["message"],
            back_url=same_page(request),
        )
    )
    response["Retry-After"] = str(DATABASE_RETRY_SECONDS)
    return response

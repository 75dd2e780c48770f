"""The one shape of every error response under ``/api``.

Services raise facts (``mechanic_shop.core.errors``); this module turns them, DRF's and
Django's exceptions into ``{"error", "message", "code", "fields"?, "request_id"}``.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.settings import api_settings

from mechanic_shop.core.errors import Conflict, NotAuthenticated, NotFound, ShopError
from mechanic_shop.core.request_id import current_request_id
from mechanic_shop.core.statement_timeout import is_statement_timeout
from mechanic_shop.core.transactions import is_transient

logger = logging.getLogger(__name__)

DATABASE_RETRY_SECONDS = 2
#: Reason phrases that Python 3.13 renamed; clients get the old text.
PHRASES = {413: "Request Entity Too Large", 422: "Unprocessable Entity"}
#: Errors repeat names and values of the request, whose client knows them.
MAX_ERRORS = 100
MAX_NAME_LENGTH = 100
MAX_MESSAGE_LENGTH = 1_000
#: The status of each kind of fact.
STATUSES: dict[type[ShopError], int] = {
    Conflict: status.HTTP_409_CONFLICT,
    NotFound: status.HTTP_404_NOT_FOUND,
    NotAuthenticated: status.HTTP_401_UNAUTHORIZED,
}


class ContentTooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "content_too_large"


def is_api_path(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


def reason_phrase(status_code: int) -> str:
    """Name a status; as always, whatever the version of Python calls it by now."""
    return PHRASES.get(status_code) or HTTPStatus(status_code).phrase


def error_body(
    status_code: int, code: str, message: str, **extra: Any
) -> dict[str, Any]:
    """Build the envelope; its ``error`` is the status line."""
    return {
        "error": f"{status_code} {reason_phrase(status_code)}",
        "message": message,
        "code": code,
        **extra,
        "request_id": current_request_id.get(),
    }


def error_response(status_code: int, code: str, message: str) -> JsonResponse:
    """Build a response outside of a view, where no renderer was chosen yet."""
    return JsonResponse(error_body(status_code, code, message), status=status_code)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: every exception becomes a response, none a traceback."""
    if isinstance(exc, ShopError):
        return _from_shop_error(exc, context)
    if isinstance(exc, OperationalError | InterfaceError):
        return _database_unavailable(exc)
    if isinstance(exc, IntegrityError):
        return _integrity_conflict(exc)
    api_exception = _as_api_exception(exc)
    if api_exception is None:
        logger.error("Unhandled exception", exc_info=exc)
        return Response(
            error_body(500, "server_error", "Something went wrong on our side."),
            status=status.HTTP_500_INTERNAL_SERVER_ERROR,
        )
    return _from_api_exception(api_exception)


def _from_shop_error(exc: ShopError, context: dict[str, Any]) -> Response:
    status_code = next(
        number for kind, number in STATUSES.items() if isinstance(exc, kind)
    )
    response = Response(
        error_body(status_code, exc.code, exc.message, **exc.extra), status=status_code
    )
    if status_code == status.HTTP_401_UNAUTHORIZED:
        scheme = context["view"].get_authenticate_header(context["request"])
        response["WWW-Authenticate"] = scheme
    return response


def _as_api_exception(exc: Exception) -> exceptions.APIException | None:
    match exc:
        case exceptions.APIException():
            return exc
        case Http404() | ObjectDoesNotExist():  # the latter: deleted a moment ago
            return exceptions.NotFound("There is nothing here that you may see.")
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case DjangoValidationError():
            return exceptions.ValidationError(
                exc.message_dict if hasattr(exc, "error_dict") else exc.messages
            )
        case RequestDataTooBig() | TooManyFieldsSent() | TooManyFilesSent():
            return ContentTooLarge()
        case SuspiciousOperation():
            return exceptions.ParseError("The request could not be understood.")
    return None


def _from_api_exception(exc: exceptions.APIException) -> Response:
    code = "invalid" if exc.status_code == 400 else str(exc.get_codes())
    exc.detail = _shorten(exc.detail)
    if isinstance(exc, exceptions.ValidationError):
        fields = (
            exc.detail
            if isinstance(exc.detail, dict)
            else {api_settings.NON_FIELD_ERRORS_KEY: exc.detail}
        )
        data = error_body(400, code, _sentence_of(fields), fields=fields)
    else:
        data = error_body(exc.status_code, code, _message_of(exc))
    response = Response(data, status=exc.status_code, headers=_headers_of(exc))
    # The browsable API's forms show their inline errors from DRF's own shape.
    response.native_errors = exc.detail  # type: ignore[attr-defined]
    return response


def _shorten(detail: Any) -> Any:
    """Cut what grows with the request, so that no response does."""
    if isinstance(detail, dict):
        some = list(detail.items())[:MAX_ERRORS]
        return {str(name)[:MAX_NAME_LENGTH]: _shorten(value) for name, value in some}
    if isinstance(detail, list):
        return [_shorten(value) for value in detail[:MAX_ERRORS]]
    text = str(detail)
    return (
        detail if len(text) <= MAX_MESSAGE_LENGTH else f"{text[:MAX_MESSAGE_LENGTH]}…"
    )


def _message_of(exc: exceptions.APIException) -> str:
    if isinstance(exc, exceptions.Throttled):
        seconds = getattr(exc, "wait", None) or 1
        return f"Rate limit exceeded. Try again in {seconds:.0f} seconds."
    return str(exc.detail)


def _sentence_of(fields: dict[str, Any]) -> str:
    """Put the first complaint into one sentence; the rest is in ``fields``."""
    name, complaint = next(iter(fields.items()), ("", ""))
    while isinstance(complaint, list | dict):
        values = complaint if isinstance(complaint, list) else list(complaint.values())
        complaint = next((value for value in values if value), "")
    if name == api_settings.NON_FIELD_ERRORS_KEY:
        return str(complaint)
    return f"{name}: {complaint}"


def _headers_of(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if auth_header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait))
    return headers


def _database_unavailable(exc: Exception) -> Response:
    return Response(
        body_without_database(exc),
        status=status.HTTP_503_SERVICE_UNAVAILABLE,
        headers={"Retry-After": str(DATABASE_RETRY_SECONDS)},
    )


def body_without_database(exc: BaseException) -> dict[str, Any]:
    """Build the envelope for what the database did not do, and log the cause."""
    if is_statement_timeout(exc):
        logger.error("A statement was ended after its time", exc_info=exc)
        return error_body(
            503, "database_timeout", "This took too long. Ask for less at a time."
        )
    if is_transient(exc):
        logger.error("The database gave way to others at every try", exc_info=exc)
        return error_body(503, "database_busy", "Too much is going on. Try again soon.")
    logger.error("The database does not answer", exc_info=exc)
    return error_body(
        503, "database_unavailable", "The database does not answer. Try again soon."
    )


def _integrity_conflict(exc: Exception) -> Response:
    """The database refused what was still right when the service looked."""
    logger.warning("A constraint had the last word", exc_info=exc)
    return Response(
        error_body(409, "conflict", "Somebody changed this just now. Try again."),
        status=status.HTTP_409_CONFLICT,
    )

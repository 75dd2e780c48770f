"""Idempotency keys: a retried POST or PATCH takes effect once.

A row for the key is there before the work begins. The work's transaction locks it first
and writes the response into it last, so effect and response are committed together or
not at all, and duplicate requests wait for the lock until there is one to replay.
"""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.db import OperationalError
from django.http import QueryDict
from django.utils import timezone
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from mechanic_shop.core.errors import Conflict
from mechanic_shop.core.models import IdempotencyKey
from mechanic_shop.core.route_names import canonical
from mechanic_shop.core.transactions import LOCK_WAIT_TIMEOUT

from .json_renderer import render_json

if TYPE_CHECKING:
    from .viewsets import ShopViewSet

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
MAY_HAVE_KEY = frozenset({"POST", "PATCH"})
RETENTION = timedelta(hours=24)
STORED_HEADERS = ("ETag",)


class KeyReused(exceptions.APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = "This Idempotency-Key was used for another request."
    default_code = "idempotency_key_reused"


class InProgress(Conflict):
    """The same request is being worked on at this moment."""

    code = "in_progress"


def get_idempotency_key(request: Request) -> str | None:
    """Return the request's key, if it has one and may be retried by it.

    :raises ValidationError: if the key is empty or too long
    """
    key = request.headers.get(HEADER)
    if key is None or request.method not in MAY_HAVE_KEY:
        return None
    if not 0 < len(key) <= LONGEST_KEY:
        raise exceptions.ValidationError(
            {HEADER: [f"Send 1 to {LONGEST_KEY} characters."]}
        )
    return key


def reserve_key(view: ShopViewSet[Any], request: Request, key: str) -> int:
    """Make sure that there is a row that duplicate requests can queue for.

    :raises Throttled: over the limit, if there is none yet: a refused flood must not
        fill the table
    """
    name = _name(request, key)
    if view.deferred_throttle is None:
        return IdempotencyKey.objects.get_or_create(**name)[0].pk
    pk = IdempotencyKey.objects.filter(**name).values_list("pk", flat=True).first()
    if pk is None:
        raise view.deferred_throttle
    return pk


def lock_key(pk: int | None) -> IdempotencyKey | None:
    """Keep duplicate requests waiting until the transaction of this one ends.

    :raises InProgress: if this one has waited too long itself
    """
    if pk is None:
        return None
    try:
        return IdempotencyKey.objects.select_for_update().get(pk=pk)
    except OperationalError as error:
        if error.args[0] == LOCK_WAIT_TIMEOUT:
            raise InProgress("This request is still being worked on.") from error
        raise
    except IdempotencyKey.DoesNotExist as error:
        raise InProgress("This request has just ended. Try again.") from error


def find_response(row: IdempotencyKey | None, request: Request) -> Response | None:
    """Return the response to a duplicate request, if there is one.

    :raises KeyReused: if it is the response to another request
    """
    if row is None or row.answered_at is None:
        return None
    if row.answered_at <= timezone.now() - RETENTION:
        return None
    if row.fingerprint != _fingerprint_of(request):
        raise KeyReused
    return _replay(row)


def store_response(
    row: IdempotencyKey | None, request: Request, response: Response
) -> None:
    """Keep the response to a request that took effect, for its duplicates."""
    if row is None or not status.is_success(response.status_code):
        return
    row.fingerprint = _fingerprint_of(request)
    row.status = response.status_code
    row.body = render_json(response.data).decode()
    row.headers = {name: response[name] for name in STORED_HEADERS if name in response}
    row.answered_at = timezone.now()
    row.save()


def is_replayed(response: Response) -> bool:
    return "Idempotency-Replayed" in response


def _name(request: Request, key: str) -> dict[str, Any]:
    # A digest: databases compare text without case or trailing spaces.
    return {"user_id": request.user.pk, "digest": sha256(key.encode()).hexdigest()}


def _replay(row: IdempotencyKey) -> Response:
    headers = {**row.headers, "Idempotency-Replayed": "true"}
    data = json.loads(row.body) if row.body else None
    return Response(data, status=row.status, headers=headers)


def _fingerprint_of(request: Request) -> str:
    """Digest what is asked for, in one spelling of path and body."""
    data: Any = request.data
    if isinstance(data, QueryDict):
        data = {name: data.getlist(name) for name in data}
    path = request.path.replace("service_tickets", "service-tickets")
    asked = [request.method, canonical(path), data]
    spelled = json.dumps(asked, sort_keys=True, default=str)
    return sha256(spelled.encode("utf-8", "surrogatepass")).hexdigest()

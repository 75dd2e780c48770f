"""Retries without fear: a request with an ``Idempotency-Key`` takes effect once.

A row for the key is there before the work begins. The work's transaction locks it first
and writes the answer into it last, so effect and answer are committed together or not
at all, and twins queue up behind the lock until there is an answer to replay.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

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

from .json import render_json

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
MAY_HAVE_KEY = frozenset({"POST", "PATCH"})
KEPT = timedelta(hours=24)
KEPT_HEADERS = ("ETag",)


class KeyReused(exceptions.APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = "This Idempotency-Key was used for another request."
    default_code = "idempotency_key_reused"


class InProgress(Conflict):
    """The same request is being worked on at this moment."""

    code = "in_progress"


def key_of(request: Request) -> str | None:
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


def find(request: Request, key: str) -> int | None:
    """Return the id of the row that twins queue for; None if there never was a twin."""
    return (
        IdempotencyKey.objects.filter(**_name(request, key))
        .values_list("pk", flat=True)
        .first()
    )


def prepare(request: Request, key: str) -> int:
    """Make sure that there is a row that twins can queue for, and return its id."""
    row, _ = IdempotencyKey.objects.get_or_create(**_name(request, key))
    return row.pk


def once(pk: int, request: Request, work: Callable[[], Response]) -> Response:
    """Carry out ``work`` and keep its answer, or replay the answer that is there.

    Runs within the transaction of the work.

    :raises KeyReused: if the answer there is that of another request
    :raises InProgress: if a twin takes too long
    """
    row = _lock(pk)
    fingerprint = _fingerprint_of(request)
    if row.answered_at is not None and row.answered_at > timezone.now() - KEPT:
        if row.fingerprint != fingerprint:
            raise KeyReused
        return _replay(row)
    answer = work()
    if status.is_success(answer.status_code):
        _keep(row, fingerprint, answer)
    return answer


def is_replayed(answer: Response) -> bool:
    return "Idempotency-Replayed" in answer


def _name(request: Request, key: str) -> dict[str, Any]:
    # A digest: databases compare text without case or trailing spaces.
    return {"user_id": request.user.pk, "digest": sha256(key.encode()).hexdigest()}


def _lock(pk: int) -> IdempotencyKey:
    try:
        return IdempotencyKey.objects.select_for_update().get(pk=pk)
    except OperationalError as error:
        if error.args[0] == LOCK_WAIT_TIMEOUT:
            raise InProgress("This request is still being worked on.") from error
        raise
    except IdempotencyKey.DoesNotExist as error:
        raise InProgress("This request has just ended. Try again.") from error


def _keep(row: IdempotencyKey, fingerprint: str, answer: Response) -> None:
    row.fingerprint = fingerprint
    row.status = answer.status_code
    row.body = render_json(answer.data).decode()
    row.headers = {name: answer[name] for name in KEPT_HEADERS if name in answer}
    row.answered_at = timezone.now()
    row.save()


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

"""ETags: responses that need not be sent again, and edits that overwrite nobody's.

It is a digest of the JSON that this caller sees of a row, so it changes with everything
the caller could have based a decision on, and with nothing else.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.utils.http import parse_etags
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from .json_renderer import RenderedResponse, render_json

if TYPE_CHECKING:
    from .viewsets import ShopViewSet

MAY_BE_CONDITIONAL = frozenset({"PUT", "PATCH", "DELETE"})


class PreconditionFailed(exceptions.APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "This was changed since you read it. Read it again and decide."
    default_code = "precondition_failed"


def compute_etag(data: Any) -> str:
    return _hash_etag(render_json(data))


def _hash_etag(rendered: bytes) -> str:
    return f'"{sha256(rendered).hexdigest()[:32]}"'


def response_with_etag(data: Any, status_code: int = status.HTTP_200_OK) -> Response:
    """Return a response with a row and its ETag."""
    rendered = render_json(data)
    headers = {"ETag": _hash_etag(rendered)}
    return RenderedResponse(data, rendered, status=status_code, headers=headers)


def not_modified_if_matches(request: Request, response: Response) -> Response:
    """Replace the response by a 304 if the caller has this very JSON already.

    A browser's page is more than the row: it is always sent.
    """
    known = request.headers.get("If-None-Match")
    is_json = getattr(request, "accepted_renderer", None).format == "json"  # type: ignore[union-attr]
    if known is None or not is_json or not _etag_matches(known, response["ETag"]):
        return response
    return Response(
        status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": response["ETag"]}
    )


def check_if_match(view: ShopViewSet[Any], request: Request) -> None:
    """Compare ``If-Match`` with the row as it is now, and keep it so to the commit.

    An action below a row (``…/parts/7``) is compared with the row that it changes.

    :raises PreconditionFailed: if the caller has seen another state of the row
    """
    seen = request.headers.get("If-Match")
    if seen is None or request.method not in MAY_BE_CONDITIONAL or not view.detail:
        return
    row = view.get_object()
    view.lock(row)
    if not _etag_matches(seen, compute_etag(view.read_detail(row.pk))):
        raise PreconditionFailed


def _etag_matches(header: str, etag: str) -> bool:
    """Return whether a header names this ETag.

    A proxy that compresses marks ETags as weak. Ours stand for the JSON, not for its
    bytes, so the mark changes nothing.
    """
    tags = parse_etags(header)
    return tags == ["*"] or etag in [named.removeprefix("W/") for named in tags]

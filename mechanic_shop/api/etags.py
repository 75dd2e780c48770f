"""ETags: answers that need not be sent again, and edits that overwrite nobody's.

The tag of a row is a digest of the JSON that this caller sees of it, so it changes with
everything the caller could have based a decision on, and with nothing else.
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


def etag_of(data: Any) -> str:
    return tag_of(render_json(data))


def tag_of(rendered: bytes) -> str:
    return f'"{sha256(rendered).hexdigest()[:32]}"'


def response_with_etag(data: Any, status_code: int = status.HTTP_200_OK) -> Response:
    """Answer with a row and its tag."""
    rendered = render_json(data)
    headers = {"ETag": tag_of(rendered)}
    return RenderedResponse(data, rendered, status=status_code, headers=headers)


def not_modified_if_matches(request: Request, answer: Response) -> Response:
    """Answer 304 without a body to a caller who has this very JSON already.

    A browser's page is more than the row: it is always sent.
    """
    known = request.headers.get("If-None-Match")
    is_json = getattr(request, "accepted_renderer", None).format == "json"  # type: ignore[union-attr]
    if known is None or not is_json or not _names(known, answer["ETag"]):
        return answer
    return Response(
        status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": answer["ETag"]}
    )


def check_if_match(view: ShopViewSet[Any], request: Request) -> None:
    """Compare ``If-Match`` with the row as it is now, and keep it so to the commit.

    A verb below a row (``…/parts/7``) is compared with the row that it changes.

    :raises PreconditionFailed: if the caller has seen another state of the row
    """
    seen = request.headers.get("If-Match")
    if seen is None or request.method not in MAY_BE_CONDITIONAL or not view.detail:
        return
    row = view.get_object()
    view.lock(row)
    if not _names(seen, etag_of(view.detail_of(row.pk))):
        raise PreconditionFailed


def _names(header: str, tag: str) -> bool:
    """Tell whether a header names this tag.

    A proxy that compresses marks tags as weak. Ours stand for the JSON, not for its
    bytes, so the mark changes nothing.
    """
    tags = parse_etags(header)
    return tags == ["*"] or tag in [named.removeprefix("W/") for named in tags]

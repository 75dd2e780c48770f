"""The Content Security Policy of every answer: nothing from elsewhere, nothing inline.

Pages of libraries need exceptions. Each is made for the paths of that library alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from csp.constants import HEADER, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Policy = Mapping[str, object]

NOTHING: Policy = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
OWN_PAGES: Policy = {
    **NOTHING,
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
}
INLINE_STYLES: Policy = {"style-src": [SELF, UNSAFE_INLINE]}
BROWSABLE: Policy = {**OWN_PAGES, **INLINE_STYLES}
#: Alpine, which unfold is built with, compiles the expressions in its attributes.
ADMIN: Policy = {**OWN_PAGES, **INLINE_STYLES, "script-src": [SELF, UNSAFE_EVAL]}
#: Redoc searches in a worker that it makes of a blob.
REDOC: Policy = {**OWN_PAGES, **INLINE_STYLES, "worker-src": ["blob:"]}

#: What stands in the header of everything but pages, written once.
FOR_DATA = build_policy(config=dict(NOTHING))

#: The first that fits; a path begins with it.
BY_PATH = (
    ("/admin/", ADMIN),
    ("/api/redoc", REDOC),
    ("/api", BROWSABLE),
)


class ShopCSPMiddleware(CSPMiddleware):
    """django-csp with a policy for each kind of page, and a short way for data."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if _is_page(response):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, FOR_DATA)
        return response

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only:
            parts.config = dict(_policy_of(request, response))
        return parts


def _is_page(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html")


def _policy_of(request: HttpRequest, response: HttpResponseBase) -> Policy:
    if not _is_page(response):
        return NOTHING
    for prefix, policy in BY_PATH:
        if request.path_info.startswith(prefix):
            return policy
    return OWN_PAGES

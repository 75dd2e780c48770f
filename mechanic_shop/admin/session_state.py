"""Tell the scripts of a page who is signed in, and a CSRF token to post with."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET


@require_GET
@never_cache
def session_state(request: HttpRequest) -> JsonResponse:
    """Return the user of the back office, or nulls; the token is of this browser."""
    user = request.user if admin.site.has_permission(request) else None
    return JsonResponse(
        {
            "user_id": user and user.pk,
            "login": user and user.get_username(),
            "csrf_token": get_token(request),
        }
    )

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from benchmarks.peers import tokens

from .models import Session


class TokenAuthentication(BaseAuthentication):
    """The product's tokens; one query loads the session with its user."""

    def authenticate(self, request):
        try:
            pk = tokens.session_id_of(request.headers.get("Authorization"))
        except tokens.Refused as error:
            raise AuthenticationFailed from error
        alive = Session.objects.select_related("user").filter(revoked_at=None)
        session = alive.filter(pk=pk, user__is_active=True).first()
        if session is None:
            raise AuthenticationFailed
        return session.user, session

    def authenticate_header(self, request):
        return "Bearer"

"""Bearer tokens, each backed by a session row."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed

from .models import Session, User
from .services import SessionEnded, is_alive
from .tokens import INVALID, ShopAccessToken, session_id_of


class SessionTokenAuthentication(JWTAuthentication):
    """Authenticate by ``Authorization: Bearer <access token>``.

    One query loads the session with its user, so logout, deactivation and a changed
    password work at the next request. ``request.auth`` is the ``Session``.
    """

    def authenticate(self, request: Request) -> tuple[User, Session] | None:  # type: ignore[override]
        header = self.get_header(request)
        try:
            raw_token = self.get_raw_token(header) if header else None
        except AuthenticationFailed as error:
            raise SessionEnded from error
        if raw_token is None:
            return None
        session = self._session_of(raw_token)
        return session.user, session

    def _session_of(self, raw_token: bytes) -> Session:
        try:
            token = ShopAccessToken(raw_token)  # type: ignore[arg-type]
        except INVALID as error:
            raise SessionEnded from error
        session = Session.objects.load(session_id_of(token))
        if session is None or not is_alive(session):
            raise SessionEnded
        return session

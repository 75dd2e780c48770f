"""Bearer tokens, each backed by a session row."""

from __future__ import annotations

import time
from functools import lru_cache

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed as BadHeader
from rest_framework_simplejwt.settings import api_settings

from .models import Session, User
from .services import SessionEnded, is_alive
from .tokens import INVALID, SessionClaims, ShopAccessToken, read_claims


class TokenNotValid(AuthenticationFailed):
    """``SessionEnded`` as an exception that DRF handles during authentication."""

    default_code = SessionEnded.code
    default_detail = SessionEnded.default_message


@lru_cache(maxsize=1024)
def _verify_token(raw_token: bytes, key: str) -> tuple[SessionClaims | None, float]:
    """Check a token's signature and read its claims and the time when it expires.

    Signature checks are pure, so they can be cached. The caller checks what may change:
    the session and the time.
    """
    token = ShopAccessToken(raw_token)  # type: ignore[arg-type]
    return read_claims(token), token["exp"]


class SessionTokenAuthentication(JWTAuthentication):
    """Authenticate by ``Authorization: Bearer <access token>``.

    One query loads the session with its user, so logout, deactivation and a changed
    password work at the next request. ``request.auth`` is the ``Session``.
    """

    def authenticate(self, request: Request) -> tuple[User, Session] | None:  # type: ignore[override]
        header = self.get_header(request)
        try:
            raw_token = self.get_raw_token(header) if header else None
        except BadHeader as error:
            raise TokenNotValid from error
        if raw_token is None:
            return None
        session = self._load_session(raw_token)
        return session.user, session

    def _load_session(self, raw_token: bytes) -> Session:
        try:
            claims, expires = _verify_token(raw_token, api_settings.SIGNING_KEY)
        except INVALID as error:
            raise TokenNotValid from error
        if claims is None or expires <= time.time():
            raise TokenNotValid
        session = claims.find()
        if session is None or not is_alive(session):
            raise TokenNotValid
        return session

"""The two JSON web tokens of a session."""

from __future__ import annotations

from typing import NamedTuple, Self

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from .models import Session
from .roles import role_of

SESSION_CLAIM = "session"
#: The row number, by which the release before finds the session: during an upgrade its
#: servers get tokens of this one, and the other way round.
NUMBER_CLAIM = "sid"
#: Raised for unreadable tokens; a huge time overflows.
INVALID = (TokenError, OverflowError)


class ShopAccessToken(AccessToken):
    """Identifies the session of a request; the other claims are for display only."""


class ShopRefreshToken(RefreshToken):
    access_token_class = ShopAccessToken

    @classmethod
    def for_session(cls, session: Session) -> Self:
        """Make a fresh refresh token; its ``access_token`` carries the same claims."""
        token = cls()
        customer = getattr(session.user, "customer", None)
        token["user_id"] = str(session.user_id)
        token[SESSION_CLAIM] = session.identifier
        token[NUMBER_CLAIM] = session.pk
        token["customer_id"] = customer.pk if customer else None
        token["role"] = role_of(session.user)
        return token


class SessionClaims(NamedTuple):
    """What a token says of its session, of the types that the database can look up."""

    identifier: str | None
    number: int | None
    user_id: int
    issued_at: int

    def find(self) -> Session | None:
        """Load the session that the token was made for, with its user.

        A token of the release before names it by number. Such a number may have been
        given again, to a session that is younger than the token.
        """
        if self.identifier is not None:
            return Session.objects.load(self.identifier, self.user_id)
        if self.number is None:
            return None
        session = Session.objects.load_by_number(self.number, self.user_id)
        if session is None or self.issued_at < int(session.created_at.timestamp()):
            return None
        return session


def read_claims(token: Token) -> SessionClaims | None:
    """Read whose token it is; another program's may contain any value there."""
    user_id, issued_at = token.get("user_id"), token.get("iat")
    if not isinstance(user_id, str) or not user_id.isdecimal() or len(user_id) > 18:
        return None
    if type(issued_at) is not int:
        return None
    identifier = token.get(SESSION_CLAIM)
    if SESSION_CLAIM not in token:
        return SessionClaims(None, _read_number(token), int(user_id), issued_at)
    if not isinstance(identifier, str) or not identifier.isalnum():
        return None
    return SessionClaims(identifier, None, int(user_id), issued_at)


def _read_number(token: Token) -> int | None:
    claim = token.get(NUMBER_CLAIM)
    return claim if type(claim) is int and 0 < claim < 2**63 else None

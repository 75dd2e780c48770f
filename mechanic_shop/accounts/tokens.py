"""The two JSON web tokens of a session."""

from typing import Self

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from .models import Session
from .roles import role_of

SESSION_CLAIM = "sid"
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
        token[SESSION_CLAIM] = session.pk
        token["customer_id"] = customer.pk if customer else None
        token["role"] = role_of(session.user)
        return token


def session_id_of(token: Token) -> int | None:
    """Read the session claim; another program's token may contain any value there."""
    claim = token.get(SESSION_CLAIM)
    return claim if type(claim) is int and 0 < claim < 2**63 else None

"""Reading and writing the product's tokens: same key, same claims, same hash."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

KEY = os.environ["JWT_SECRET_KEY"]
ALGORITHM = "HS256"
ACCESS, REFRESH = timedelta(minutes=1_440), timedelta(days=7)
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Refused(Exception):
    """No valid token, or a wrong password."""


def session_id_of(header: str | None) -> int:
    """:raises Refused: if the header carries no valid access token"""
    if not header or not header.startswith("Bearer "):
        raise Refused
    try:
        claims = jwt.decode(header[7:], KEY, algorithms=[ALGORITHM])
        if claims["token_type"] != "access":
            raise Refused
        return int(claims["sid"])
    except (jwt.InvalidTokenError, KeyError) as error:
        raise Refused from error


def check_password(password: str, stored: str) -> None:
    """Compare with what Django stores: the algorithm's name, then argon2's own form.

    :raises Refused: if it is another password
    """
    try:
        HASHER.verify(stored.removeprefix("argon2"), password)
    except VerifyMismatchError as error:
        raise Refused from error


def pair(
    session: int, jti: str, user: int, customer: int | None, role: str
) -> dict[str, str]:
    """Make the two tokens of a session."""
    claims = {
        "user_id": str(user),
        "sid": session,
        "customer_id": customer,
        "role": role,
    }
    access = _sign(claims, "access", ACCESS, token_hex(16))
    refresh = _sign(claims, "refresh", REFRESH, jti)
    return {"access_token": access, "refresh_token": refresh}


def _sign(claims: dict[str, Any], kind: str, lifetime: timedelta, jti: str) -> str:
    now = datetime.now(UTC)
    times = {"iat": now, "exp": now + lifetime}
    return jwt.encode({**claims, **times, "token_type": kind, "jti": jti}, KEY)

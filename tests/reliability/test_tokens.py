"""A refresh token works once, whoever comes at once, and a header names one token.

What else is no token is in ``mechanic_shop/accounts/tests/test_tokens.py``.
"""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest

from ..support.server import OWNER
from .load import PATIENCE_SECONDS, Answer, at_once, counted
from .server_log import events_of
from .shop import Shop

CALLERS = 32


def new_pair(shop: Shop) -> tuple[str, str]:
    """Sign the owner in once more; return the access and the refresh token."""
    pair = shop.client().post("/auth/login", OWNER, retry_stale=True).expect(200)
    return pair["access_token"], pair["refresh_token"]


def refresh(shop: Shop, token: str) -> Answer:
    return shop.client().post("/auth/refresh", {"refresh_token": token})


def reuses_of(shop: Shop, token: str) -> list[int]:
    """Return whose token the security log calls used again, for this session."""
    session_id = claims_of(token)["sid"]
    return [
        event["user_id"]
        for event in events_of(shop.server.log, "refresh_token_reused")
        if event["session_id"] == session_id
    ]


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def assert_dead(shop: Shop, pair: dict[str, str]) -> None:
    """Check that neither token of a pair opens anything any more."""
    me = shop.client(pair["access_token"]).get("/auth/me")
    renewed = refresh(shop, pair["refresh_token"])
    assert (me.status, me.code) == (401, "token_not_valid")
    assert (renewed.status, renewed.code) == (401, "token_not_valid")


class TestRefreshToken:
    @pytest.mark.race
    def test_works_once_and_ends_the_session_of_those_who_share_it(
        self, shop: Shop
    ) -> None:
        _, token = new_pair(shop)

        answers = at_once(CALLERS, lambda _: refresh(shop, token))

        assert counted(answers) == {200: 1, 401: CALLERS - 1}
        (winner,) = (answer for answer in answers if answer.status == 200)
        # Nobody knows which of them is the thief, so that all have to sign in again.
        assert_dead(shop, winner.json())
        assert reuses_of(shop, token) == [int(claims_of(token)["user_id"])]
        shop.assert_invariants()

    def test_ends_the_session_when_it_comes_again_later(self, shop: Shop) -> None:
        _, stolen = new_pair(shop)
        other, _ = new_pair(shop)
        newer = refresh(shop, stolen).expect(200)
        newest = refresh(shop, newer["refresh_token"]).expect(200)

        answers = [refresh(shop, stolen) for _ in range(3)]

        assert counted(answers) == {401: 3}
        assert_dead(shop, newest)
        assert reuses_of(shop, stolen) == [int(claims_of(stolen)["user_id"])]
        assert shop.client(other).get("/auth/me").status == 200


def ask_with(shop: Shop, *authorizations: str) -> tuple[int, dict[str, str], Any]:
    """Ask who I am with so many headers, which clients' libraries do not send.

    :returns: status, headers by their lower-case names, and body
    """
    address = urlsplit(shop.server.url)
    lines = [
        "GET /api/auth/me HTTP/1.1",
        f"Host: {address.netloc}",
        "Connection: close",
        *(f"Authorization: {value}" for value in authorizations),
    ]
    request = "\r\n".join([*lines, "", ""]).encode("latin-1")
    answer = b""
    place = (str(address.hostname), int(address.port or 0))
    with socket.create_connection(place, timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(request)
        while piece := connection.recv(65_536):
            answer += piece
    head, _, body = answer.decode().partition("\r\n\r\n")
    first, *others = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in others)
    return int(first.split()[1]), headers, json.loads(body)


#: Several headers of one name; "{}" is a token that opens the door alone.
SEVERAL = {
    "the same twice": ("Bearer {}", "Bearer {}"),
    "a good and a bad one": ("Bearer {}", "Bearer x"),
    "a bad and a good one": ("Bearer x", "Bearer {}"),
    "a good and an empty one": ("Bearer {}", ""),
    "an empty and a good one": ("", "Bearer {}"),
    "a good one and a password": ("Bearer {}", "Basic eDp5"),
    "a password and a good one": ("Basic eDp5", "Bearer {}"),
    "one in two": ("Bearer", "{}"),
    "garbage of 100 kB": (f"Bearer {'x' * 102_400}",),
    "not ASCII": ("Bearer \xe9{}",),
}


class TestAuthorizationHeader:
    @pytest.mark.parametrize("headers", SEVERAL.values(), ids=list(SEVERAL))
    def test_is_refused_unless_it_is_one(
        self, shop: Shop, headers: tuple[str, ...]
    ) -> None:
        token, _ = new_pair(shop)

        status, told, body = ask_with(shop, *(each.format(token) for each in headers))

        assert status == 401
        assert told["www-authenticate"] == 'bearer realm="api"'
        assert body["code"] in {"token_not_valid", "not_authenticated"}
        assert body.keys() == {"error", "message", "code", "request_id"}
        assert ask_with(shop, f"bearer {token}")[0] == 200

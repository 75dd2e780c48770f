"""No token but our own, whole and in its place, opens anything.

The tokens are put together by hand: libraries refuse to make the worst of them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from rest_framework.response import Response
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import Session, User
from mechanic_shop.accounts.services import TokenPair, start_session
from mechanic_shop.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

Claims = dict[str, Any]
Forge = Callable[[Claims], str]

ATTACKERS_KEY = "a-key-that-the-attacker-has-made-up-0123456789"
#: For algorithms that are HMAC too; all others get the shop's.
DIGESTS = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
"""


def token_of(claims: object, header: object = None, key: str | None = None) -> str:
    """Sign claims as the shop does, unless a header or a key says otherwise."""
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    algorithm = header.get("alg") if isinstance(header, dict) else None
    digest = DIGESTS.get(str(algorithm), hashlib.sha256)
    signed = f"{_encoded(json.dumps(header))}.{_encoded(json.dumps(claims))}"
    secret = settings.JWT_SECRET_KEY if key is None else key
    signature = hmac.new(secret.encode(), signed.encode(), digest).digest()
    return f"{signed}.{_encoded(signature)}"


def _encoded(content: bytes | str) -> str:
    content = content.encode() if isinstance(content, str) else content
    return urlsafe_b64encode(content).decode().rstrip("=")


def headed(key: str | None = None, **header: Any) -> Forge:
    """Forge by what the header says; "alg" is the shop's if it is not given."""
    return lambda claims: token_of(claims, {"alg": "HS256", **header}, key)


def claiming(**changes: Any) -> Forge:
    """Forge by claims, under the shop's own key: the signature is not all."""
    return lambda claims: token_of({**claims, **changes})


def without(claim: str) -> Forge:
    return lambda claims: token_of({k: v for k, v in claims.items() if k != claim})


def numbered(**changes: Any) -> Forge:
    """Forge in the form of the release before, which named sessions by row number."""
    return lambda claims: without("session")({**claims, **changes})


def unsigned(algorithm: str) -> Forge:
    return lambda claims: headed(alg=algorithm)(claims).rpartition(".")[0] + "."


def mangled(mangle: Callable[[str], str]) -> Forge:
    return lambda claims: mangle(token_of(claims))


def just(token: str) -> Forge:
    return lambda _: token


def in_seconds(seconds: int) -> int:
    return int(time.time()) + seconds


FORGED: dict[str, Forge] = {
    # Signed by nobody, or by somebody else
    "none": unsigned("none"),
    "None": unsigned("None"),
    "nOnE": unsigned("nOnE"),
    "no signature": unsigned("HS256"),
    "none, but signed": headed(alg="none"),
    "an attacker's key": lambda claims: token_of(claims, key=ATTACKERS_KEY),
    "the other key": lambda claims: token_of(claims, key=settings.SECRET_KEY),
    "an empty key": lambda claims: token_of(claims, key=""),
    # Other algorithms, with the right key
    "HS384": headed(alg="HS384"),
    "HS512": headed(alg="HS512"),
    "hs256": headed(alg="hs256"),
    "RS256": headed(PUBLIC_KEY, alg="RS256"),
    "ES256": headed(PUBLIC_KEY, alg="ES256"),
    "HMAC over a public key": headed(PUBLIC_KEY),
    "no algorithm": lambda claims: token_of(claims, {"typ": "JWT"}),
    "an algorithm of null": headed(alg=None),
    "algorithms": headed(alg=["HS256", "none"]),
    "an algorithm of objects": headed(alg={"name": "HS256"}),
    # Headers that tell where the key is
    "kid of a file": headed("", kid="/dev/null"),
    "kid of a query": headed("key", kid="x' UNION SELECT 'key"),
    "kid of a number": headed(kid=7),
    "jku": headed(ATTACKERS_KEY, jku="https://attacker.example/keys"),
    "jwk": headed(ATTACKERS_KEY, jwk={"kty": "oct", "k": _encoded(ATTACKERS_KEY)}),
    "x5u": headed(ATTACKERS_KEY, x5u="https://attacker.example/chain"),
    "crit": headed(crit=["shop"], shop=True),
    "a list as header": lambda claims: token_of(claims, ["HS256"]),
    "a text as header": lambda claims: token_of(claims, "HS256"),
    # The time
    "expired": claiming(exp=in_seconds(-1)),
    "for ever": without("exp"),
    "until null": claiming(exp=None),
    "until tomorrow": claiming(exp="tomorrow"),
    "until a list": claiming(exp=[in_seconds(60)]),
    "until 10**30": claiming(exp=10**30),
    "until infinity": claiming(exp=float("inf")),
    "until NaN": claiming(exp=float("nan")),
    "not yet valid": claiming(nbf=in_seconds(600)),
    "of the future": claiming(iat=in_seconds(600)),
    # What it is and whose
    "no type": without("token_type"),
    "another type": claiming(token_type="sliding"),
    "types": claiming(token_type=["access", "refresh"]),
    "no jti": without("jti"),
    "jti null": claiming(jti=None),
    "jti 7": claiming(jti=7),
    "jti list": claiming(jti=["0"]),
    "no session": numbered(sid=None),
    "session null": claiming(session=None),
    "session of a number": lambda claims: claiming(session=claims["sid"])(claims),
    "session list": lambda claims: claiming(session=[claims["session"]])(claims),
    "session object": claiming(session={"pk": 1}),
    "session True": claiming(session=True),
    "session empty": claiming(session=""),
    "session of nobody": claiming(session="0" * 32),
    "session cut off": lambda claims: claiming(session=claims["session"][:-1])(claims),
    "session padded": lambda claims: claiming(session=claims["session"] + " ")(claims),
    "session not ASCII": claiming(session="é" * 32),
    "no user": without("user_id"),
    "user null": claiming(user_id=None),
    "user of a number": lambda claims: claiming(user_id=int(claims["user_id"]))(claims),
    "user list": lambda claims: claiming(user_id=[claims["user_id"]])(claims),
    "user of nobody": claiming(user_id="0"),
    "user signed": lambda claims: claiming(user_id="+" + claims["user_id"])(claims),
    "user 10**30": claiming(user_id=str(10**30)),
    # The form of the release before
    "number text": lambda claims: numbered(sid=str(claims["sid"]))(claims),
    "number list": lambda claims: numbered(sid=[claims["sid"]])(claims),
    "number float": lambda claims: numbered(sid=float(claims["sid"]))(claims),
    "number object": numbered(sid={"pk": 1}),
    "number True": numbered(sid=True),
    "number 0": numbered(sid=0),
    "number negative": lambda claims: numbered(sid=-claims["sid"])(claims),
    "number of nobody": numbered(sid=2**62),
    "number 2**63": numbered(sid=2**63),
    "number 10**30": numbered(sid=10**30),
    "number NaN": numbered(sid=float("nan")),
    "number and another user": numbered(user_id="0"),
    "number, older than the session": numbered(iat=in_seconds(-60)),
    "number and no time": numbered(iat=None),
    "claims of a list": lambda claims: token_of([claims]),
    "claims of null": lambda _: token_of(None),
    # What is left of a token
    "cut off": mangled(lambda token: token[:-1]),
    "cut off in the claims": mangled(lambda token: token[: len(token) // 2]),
    "two of three parts": mangled(lambda token: token.rpartition(".")[0]),
    "four parts": mangled(lambda token: f"{token}.{token}"),
    "a part twice": mangled(lambda token: f"{token}.x"),
    "points": just(".."),
    "not ASCII": mangled(lambda token: f"é{token}"),
    "not ASCII inside": mangled(lambda token: token.replace(".", "é.", 1)),
    "a header that is not UTF-8": just(_encoded(b"\xff") + ".e30.e30"),
    "a header of brackets": just(_encoded("[" * 3_000) + ".e30.e30"),
}
every_forgery = pytest.mark.parametrize("forge", FORGED.values(), ids=list(FORGED))
#: A body may not even hold so much.
TOO_LONG: dict[str, Forge] = {
    "garbage": just("x" * 10_240),
    "points": just("." * 10_240),
    "brackets": just(_encoded("[" * 7_680) + ".e30.e30"),
    "garbage around a token": mangled(lambda token: "x" * 10_240 + token),
}
every_long_one = pytest.mark.parametrize("forge", TOO_LONG.values(), ids=list(TOO_LONG))

#: What is no header of ours around a token that would do.
HEADERS = {
    "no token": "Bearer",
    "no token but a space": "Bearer ",
    "no scheme": "{token}",
    "another scheme": "Token {token}",
    "JWT as scheme": "JWT {token}",
    "Basic": "Basic {token}",
    "a colon": "Bearer: {token}",
    "an equals sign": "Bearer={token}",
    "quoted": 'Bearer "{token}"',
    "named": "Bearer token={token}",
    "two tokens": "Bearer {token} {token}",
    "two in one": "Bearer {token}, Bearer {token}",
    "two in one without spaces": "Bearer {token},Bearer {token}",
    "a comma": "Bearer {token},",
    "the scheme twice": "Bearer Bearer {token}",
    "not ASCII": "Bearer\xa0{token}",
}


@pytest.fixture
def pair() -> TokenPair:
    return start_session(user=UserFactory.create())


@pytest.fixture
def session(pair: TokenPair) -> Session:
    return Session.objects.get()


def claims_of(session: Session, kind: str) -> Claims:
    """Claim what the shop's own token of that kind would."""
    return {
        "token_type": kind,
        "exp": in_seconds(600),
        "iat": in_seconds(0),
        "jti": session.refresh_jti,
        "user_id": str(session.user_id),
        "session": session.identifier,
        "sid": session.pk,
        "customer_id": None,
        "role": None,
    }


def me(authorization: str) -> Response:
    return APIClient().get("/api/auth/me", headers={"Authorization": authorization})


def refresh(token: object) -> Response:
    body = json.dumps({"refresh_token": token})
    return APIClient().post("/api/auth/refresh", body, content_type="application/json")


def assert_refused(answer: Response) -> None:
    """Check that it is our 401, whose client learns what to do."""
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    body = answer.data
    assert body.keys() == {"error", "message", "code", "request_id"}
    assert body["error"] == "401 Unauthorized"
    assert body["code"] in {"token_not_valid", "not_authenticated"}


class TestForgedToken:
    def test_would_do_if_nothing_was_wrong_with_it(self, session: Session) -> None:
        access = token_of(claims_of(session, "access"))
        renewing = token_of(claims_of(session, "refresh"))

        assert me(f"Bearer {access}").status_code == 200
        assert refresh(renewing).status_code == 200

    @every_forgery
    def test_opens_nothing(self, forge: Forge, session: Session) -> None:
        token = forge(claims_of(session, "access"))

        assert_refused(me(f"Bearer {token}"))

    @every_forgery
    def test_renews_nothing_and_ends_nothing(
        self, forge: Forge, session: Session, pair: TokenPair
    ) -> None:
        token = forge(claims_of(session, "refresh"))

        assert_refused(refresh(token))
        assert refresh(pair.refresh_token).status_code == 200

    @every_long_one
    def test_of_10_kb_opens_nothing(self, forge: Forge, session: Session) -> None:
        token = forge(claims_of(session, "access"))

        assert_refused(me(f"Bearer {token}"))
        assert refresh(token).status_code == 400

    @pytest.mark.parametrize(
        "token", [None, True, [], ["x"], {}, "", " ", "\x00"], ids=repr
    )
    def test_is_named_where_it_is_no_text(self, token: object) -> None:
        answer = refresh(token)

        assert answer.status_code == 400
        assert answer.data["fields"].keys() == {"refresh_token"}

    def test_that_is_half_a_character_is_no_body_at_all(self) -> None:
        answer = refresh("\ud800")

        assert (answer.status_code, answer.data["code"]) == (400, "invalid")


class TestSessionNumber:
    """Row numbers begin again where a database is restored."""

    def replace_session(self, session: Session, user: User) -> TokenPair:
        """Let another session get the number, as a restored database would."""
        number = session.pk
        session.delete()
        pair = start_session(user=user)
        Session.objects.update(id=number)
        return pair

    def test_given_again_opens_nothing_of_the_new_user(
        self, pair: TokenPair, session: Session
    ) -> None:
        owner = UserFactory.create(superuser=True)

        owners = self.replace_session(session, owner)

        assert_refused(me(f"Bearer {pair.access_token}"))
        assert_refused(refresh(pair.refresh_token))
        assert me(f"Bearer {owners.access_token}").data["user_id"] == owner.pk
        assert refresh(owners.refresh_token).status_code == 200

    def test_given_again_with_the_user_number_opens_nothing(
        self, pair: TokenPair, session: Session
    ) -> None:
        self.replace_session(session, session.user)

        assert_refused(me(f"Bearer {pair.access_token}"))
        assert_refused(refresh(pair.refresh_token))

    def test_given_again_opens_nothing_by_an_old_token(self, session: Session) -> None:
        claims = claims_of(session, "access")
        of_user = numbered()(claims)
        older = numbered(iat=in_seconds(-60))(claims)
        owner = UserFactory.create(superuser=True)

        self.replace_session(session, owner)

        assert_refused(me(f"Bearer {of_user}"))
        Session.objects.update(user_id=claims["user_id"])
        assert_refused(me(f"Bearer {older}"))


class TestTokenOfTheReleaseBefore:
    """While an upgrade is under way, both releases give and get tokens."""

    def test_opens_and_renews_a_session_of_that_release(self, session: Session) -> None:
        Session.objects.update(identifier=None)
        access = numbered()(claims_of(session, "access"))

        renewed = refresh(numbered()(claims_of(session, "refresh")))

        assert me(f"Bearer {access}").status_code == 200
        assert me(f"Bearer {renewed.data['access_token']}").status_code == 200
        assert refresh(renewed.data["refresh_token"]).status_code == 200

    def test_opens_and_renews_a_session_of_this_release(self, session: Session) -> None:
        access = numbered()(claims_of(session, "access"))

        renewed = refresh(numbered()(claims_of(session, "refresh")))

        assert me(f"Bearer {access}").status_code == 200
        assert me(f"Bearer {renewed.data['access_token']}").status_code == 200


class TestTokenInTheWrongPlace:
    def test_is_refused_as_the_other_kind(self, pair: TokenPair) -> None:
        assert_refused(me(f"Bearer {pair.refresh_token}"))
        assert_refused(refresh(pair.access_token))

    def test_dies_with_the_row_of_its_session(
        self, pair: TokenPair, session: Session
    ) -> None:
        session.delete()

        assert_refused(me(f"Bearer {pair.access_token}"))
        assert_refused(refresh(pair.refresh_token))

    @pytest.mark.parametrize("form", HEADERS.values(), ids=list(HEADERS))
    def test_is_not_found_in_another_form(self, form: str, pair: TokenPair) -> None:
        assert_refused(me(form.format(token=pair.access_token)))

    @pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "Bearer   {} "])
    def test_is_found_in_the_right_form(self, form: str, pair: TokenPair) -> None:
        assert me(form.format(pair.access_token)).status_code == 200

    @pytest.mark.parametrize(
        "name", ["access_token", "token", "jwt", "Authorization", "sessionid"]
    )
    def test_is_ignored_in_a_cookie(self, name: str, pair: TokenPair) -> None:
        client = APIClient()
        client.cookies[name] = pair.access_token

        assert_refused(client.get("/api/auth/me"))
        assert_refused(client.post("/api/inventory", {"name": "Filter", "price": 1}))

    @pytest.mark.parametrize("name", ["access_token", "token", "jwt", "Authorization"])
    def test_is_ignored_in_a_query_and_in_a_body(
        self, name: str, pair: TokenPair
    ) -> None:
        client, token = APIClient(), pair.access_token

        assert_refused(client.get("/api/auth/me", {name: token}))
        assert_refused(client.post("/api/auth/logout", {name: token}))
        assert_refused(client.post(f"/api/auth/logout?{name}={token}"))

    @pytest.mark.parametrize(
        "name", ["X-Authorization", "Proxy-Authorization", "X-Access-Token"]
    )
    def test_is_ignored_in_another_header(self, name: str, pair: TokenPair) -> None:
        headers = {name: f"Bearer {pair.access_token}"}

        assert_refused(APIClient().get("/api/auth/me", headers=headers))

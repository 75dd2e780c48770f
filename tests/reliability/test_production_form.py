"""The production form as it stands behind a proxy that speaks TLS.

The proxy is played by the tests: they write the headers that it would write.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.cookies import Morsel, SimpleCookie
from urllib.parse import urlencode, urlsplit

import pytest

from ..support.server import COMMAND, OWNER, ROOT
from .load import PATIENCE_SECONDS, Answer, Body, Client
from .server_log import events_of, records_of
from .services import free_port
from .shop import Shop, running_shop

#: One process starts the server for all of them.
pytestmark = pytest.mark.xdist_group("production form")

HTTPS = {"X-Forwarded-Proto": "https"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PRODUCTION = "mechanic_shop.settings.production"
YEAR_SECONDS = 31_536_000
MAX_BODY_BYTES = 1_048_576
PART = {"name": "Filter", "price": 1}
SECURITY_HEADERS = {
    "Strict-Transport-Security": f"max-age={YEAR_SECONDS}; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

Cookies = dict[str, "Morsel[str]"]
Outcome = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_shop(
        tmp_path_factory.mktemp("production"),
        on="sqlite",
        workers=2,
        NUM_PROXIES="1",
        SECURE_SSL_REDIRECT="true",
    ) as shop:
        yield shop
        records_of(shop.server.log)


@pytest.fixture(scope="module")
def anyone(production: Shop) -> Client:
    client = production.client()
    client.headers |= HTTPS
    return client


@pytest.fixture(scope="module")
def token(anyone: Client) -> str:
    return str(anyone.post("/auth/login", OWNER).expect(200)["access_token"])


@pytest.fixture(scope="module")
def back_office(anyone: Client) -> Browser:
    browser = Browser(anyone)
    browser.sign_in()
    return browser


class Browser:
    """Somebody who is signed in to the back office, with cookies kept by hand.

    A library that keeps cookies would not send secure ones to a server without TLS.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.cookies: Cookies = {}

    def sign_in(self) -> None:
        self.get("//admin/login/")
        fields = {"username": OWNER["email"], "password": OWNER["password"]}
        form = urlencode({**fields, "csrfmiddlewaretoken": self.csrf})
        answer = self.post("//admin/login/", form, FORM)
        assert answer.status == 302, answer

    @property
    def csrf(self) -> str:
        return self.cookies["csrftoken"].value

    @property
    def origin(self) -> str:
        return self._client.url.replace("http://", "https://")

    def get(self, path: str) -> Answer:
        return self._send("GET", path, None, {})

    def post(self, path: str, body: Body, headers: Mapping[str, str] = {}) -> Answer:
        return self._send("POST", path, body, {"Referer": self.origin, **headers})

    def _send(
        self, method: str, path: str, body: Body, headers: Mapping[str, str]
    ) -> Answer:
        pairs = [f"{name}={cookie.value}" for name, cookie in self.cookies.items()]
        if pairs:
            headers = {**headers, "Cookie": "; ".join(pairs)}
        answer = self._client.request(method, path, body, headers, retry_stale=True)
        self.cookies |= cookies_of(answer)
        return answer


def cookies_of(answer: Answer) -> Cookies:
    cookies: Cookies = {}
    for header in answer.headers.get_all("Set-Cookie", []):
        cookies |= SimpleCookie(header)
    return cookies


class TestEveryAnswer:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "//", 200),
            ("GET", "//healthz", 200),
            ("GET", "//readyz", 200),
            ("GET", "//nowhere", 404),
            ("GET", "//admin/", 302),
            ("GET", "//admin/login/", 200),
            ("POST", "//admin/login/", 403),
            ("GET", "//static/favicon.svg", 404),
            ("GET", "/docs", 200),
            ("GET", "/auth/me", 401),
            ("GET", "/nowhere", 404),
            ("POST", "/auth/login", 400),
            ("PUT", "/auth/login", 405),
        ],
    )
    def test_has_the_headers_that_browsers_go_by(
        self, anyone: Client, method: str, path: str, status: int
    ) -> None:
        answer = anyone.request(method, path, retry_stale=True)

        assert answer.status == status
        assert headers_of(answer) == SECURITY_HEADERS

    def test_has_them_for_who_is_signed_in(
        self, anyone: Client, token: str, back_office: Browser
    ) -> None:
        bearer = {"Authorization": f"Bearer {token}"}

        answers = [
            anyone.get("/inventory", headers=bearer),
            back_office.get("//admin/"),
        ]

        assert [answer.status for answer in answers] == [200, 200]
        assert [headers_of(each) for each in answers] == [SECURITY_HEADERS] * 2

    @pytest.mark.parametrize("path", ["//", "/auth/me", "//admin/login/"])
    def test_has_them_for_a_host_that_is_not_ours(
        self, anyone: Client, path: str
    ) -> None:
        answer = anyone.get(path, headers={"Host": "attacker.example"})

        assert answer.status == 400
        assert b"attacker" not in answer.body
        assert headers_of(answer) == SECURITY_HEADERS

    @pytest.mark.parametrize("times", [1, 2, 8, 40])
    def test_has_them_for_a_body_that_is_too_large(
        self, anyone: Client, times: int
    ) -> None:
        # Sent whole before the answer is read, as most libraries do.
        answer = anyone.post("/auth/login", b"x" * (times * MAX_BODY_BYTES + 1))

        assert answer.status == 413
        assert headers_of(answer) == SECURITY_HEADERS


def headers_of(answer: Answer) -> dict[str, str | None]:
    return {name: answer.headers[name] for name in SECURITY_HEADERS}


class TestRequestWithoutTls:
    @pytest.mark.parametrize("path", ["//", "//admin/login/", "/auth/me", "/nowhere"])
    @pytest.mark.parametrize("headers", [{}, {"X-Forwarded-Proto": "http"}], ids=str)
    def test_is_sent_to_https(
        self, production: Shop, path: str, headers: dict[str, str]
    ) -> None:
        answer = production.client().get(path, headers=headers)

        assert answer.status == 301
        host = urlsplit(production.server.url).netloc
        target = path[1:] if path.startswith("//") else f"/api{path}"
        assert answer.headers["Location"] == f"https://{host}{target}"
        assert "Strict-Transport-Security" not in answer.headers

    def test_signs_nobody_in(self, production: Shop) -> None:
        answer = production.client().post("/auth/login", OWNER)

        assert answer.status == 301
        assert b"token" not in answer.body

    @pytest.mark.parametrize("path", ["//healthz", "//readyz"])
    def test_is_answered_to_whoever_watches_the_server(
        self, production: Shop, path: str
    ) -> None:
        assert production.client().get(path).status == 200


class TestCookie:
    def test_stays_on_https_and_on_this_site(self, back_office: Browser) -> None:
        assert back_office.cookies.keys() == {"csrftoken", "sessionid"}
        for cookie in back_office.cookies.values():
            assert cookie["secure"] is True
            assert cookie["samesite"] == "Lax"
            assert (cookie["path"], cookie["domain"]) == ("/", "")

    def test_of_the_session_is_hidden_from_scripts(self, back_office: Browser) -> None:
        assert back_office.cookies["sessionid"]["httponly"] is True

    def test_is_not_set_by_the_api(self, anyone: Client, token: str) -> None:
        bearer = {"Authorization": f"Bearer {token}"}

        answers = [
            anyone.get("/inventory", headers=bearer),
            anyone.post("/auth/login", OWNER),
        ]

        assert [answer.status for answer in answers] == [200, 200]
        assert [cookies_of(answer) for answer in answers] == [{}, {}]


class TestWriteWithACookie:
    def test_needs_the_token_against_forged_requests(
        self, back_office: Browser
    ) -> None:
        answer = back_office.post("/inventory", PART)

        assert (answer.status, answer.code) == (403, "permission_denied")

    def test_needs_the_right_one(self, back_office: Browser) -> None:
        headers = {"X-CSRFToken": back_office.csrf[::-1]}

        assert back_office.post("/inventory", PART, headers).status == 403

    @pytest.mark.parametrize("name", ["Referer", "Origin"])
    def test_is_refused_from_another_site(
        self, back_office: Browser, name: str
    ) -> None:
        headers = {"X-CSRFToken": back_office.csrf, name: "https://attacker.example"}

        assert back_office.post("/inventory", PART, headers).status == 403

    def test_works_from_our_own_pages(self, back_office: Browser) -> None:
        headers = {"X-CSRFToken": back_office.csrf, "Origin": back_office.origin}

        assert back_office.post("/inventory", PART, headers).status == 201

    def test_is_no_matter_of_reading(self, back_office: Browser) -> None:
        assert back_office.get("/inventory").status == 200


class TestToken:
    def test_needs_no_other_token(self, anyone: Client, token: str) -> None:
        headers = {
            "Authorization": f"Bearer {token}",
            "Origin": "https://app.example",
            "Referer": "https://app.example/",
        }

        assert anyone.post("/inventory", PART, headers=headers).status == 201

    @pytest.mark.parametrize("name", ["token", "access_token", "jwt", "sessionid"])
    def test_opens_nothing_in_a_cookie(
        self, anyone: Client, token: str, name: str
    ) -> None:
        headers = {"Cookie": f"{name}={token}"}

        answers = [
            anyone.get("/auth/me", headers=headers),
            anyone.post("/inventory", PART, headers=headers),
        ]

        assert [answer.status for answer in answers] == [401, 401]

    @pytest.mark.parametrize("name", ["token", "access_token", "jwt"])
    def test_opens_nothing_in_a_query_and_stays_out_of_the_log(
        self, production: Shop, anyone: Client, token: str, name: str
    ) -> None:
        answer = anyone.get(f"/auth/me?{name}={token}")

        assert answer.status == 401
        assert token not in production.server.log


def send_raw(production: Shop, request: bytes) -> bytes:
    """Send what no client would, and return all that comes back."""
    address = urlsplit(production.server.url)
    place = (str(address.hostname), int(address.port or 0))
    answer = b""
    with socket.create_connection(place, timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65_536):
            answer += piece
    return answer


class TestLog:
    def test_is_json_whatever_comes(
        self, production: Shop, anyone: Client, back_office: Browser
    ) -> None:
        odd = "%0d%0a%7b%22logger%22:%22security%22%7d%1b[2J%e2%80%a8"
        before = len(records_of(production.server.log))

        for path in (f"//{odd}", f"/{odd}", f"/inventory/{odd}", f"//admin/{odd}"):
            assert anyone.get(path).status in {302, 404}
        anyone.get("/auth/me", headers={"Host": "a\tb{}", "X-Request-ID": odd})
        anyone.post("/auth/login", {"email": odd, "password": "wrong-horse-battery"})
        anyone.post("/auth/login", b"\xff{")
        back_office.post("/inventory", PART)
        send_raw(production, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        send_raw(production, b"GET /api/auth/me HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n")

        assert len(records_of(production.server.log)) > before + 4

    def test_names_who_was_refused_and_from_where(
        self, production: Shop, anyone: Client
    ) -> None:
        stranger = {
            "X-Forwarded-For": "192.0.2.7, 198.51.100.9",
            "X_Forwarded_For": "203.0.113.1",
        }
        body = {"email": "eve@example.com", "password": "wrong-horse-battery"}

        anyone.post("/auth/login", body, headers=stranger).expect(401)

        (event,) = (
            event
            for event in events_of(production.server.log, "login_failed")
            if event.get("account") == body["email"]
        )
        assert event["address"] == "198.51.100.9"
        assert event["path"] == "/api/auth/login"


class TestHeader:
    def test_that_comes_twice_counts_as_one_list(self, production: Shop) -> None:
        """Whatever a client claims, the last word is the proxy's."""
        body = b'{"email": "twice@example.com", "password": "wrong-horse-battery"}'

        send_raw(
            production,
            b"POST /api/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 198.51.100.9\r\n"
            b"X-Forwarded-Proto: https\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
        )

        (event,) = (
            event
            for event in events_of(production.server.log, "login_failed")
            if event.get("account") == "twice@example.com"
        )
        assert event["address"] == "198.51.100.9"


class TestProtocol:
    """HTTP/1.1 and nothing else: what speaks HTTP/2 has checks of its own to pass."""

    @pytest.mark.parametrize(
        "request_",
        [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
            b"GET /healthz HTTP/2.0\r\nHost: 127.0.0.1\r\n\r\n",
        ],
    )
    def test_refuses_http_2(self, production: Shop, request_: bytes) -> None:
        assert send_raw(production, request_).startswith(b"HTTP/1.1 4")

    def test_is_not_changed_on_request(self, production: Shop) -> None:
        upgrade = (
            b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
        )

        assert send_raw(production, upgrade).startswith(b"HTTP/1.1 200 ")


#: (variable that is named, what is set beside what would do)
REFUSED = [
    ("SECRET_KEY", {"SECRET_KEY": ""}),
    ("SECRET_KEY", {"SECRET_KEY": "x" * 31}),
    ("SECRET_KEY", {"SECRET_KEY": f"insecure-{'x' * 40}"}),
    ("JWT_SECRET_KEY", {**dict.fromkeys(("SECRET_KEY", "JWT_SECRET_KEY"), "x" * 40)}),
    ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": "shop.example,*"}),
]


def run(command: list[str], environment: Mapping[str, str]) -> Outcome:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": PRODUCTION},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


class TestStart:
    def test_is_clean_by_the_checks_of_a_deployment(self, production: Shop) -> None:
        keys = ("SECRET_KEY", "JWT_SECRET_KEY")
        environment = production.server.environment | {
            name: secrets.token_urlsafe(48) for name in keys
        }
        check = [sys.executable, "manage.py", "check", "--deploy"]

        done = run([*check, "--fail-level", "WARNING"], environment)

        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize(
        "command",
        [COMMAND, [sys.executable, "-c", "import mechanic_shop.wsgi"]],
        ids=["server", "wsgi"],
    )
    def test_fails_at_a_wrong_variable_and_names_it_last(
        self, production: Shop, command: list[str]
    ) -> None:
        good = {**production.server.environment, "PORT": str(free_port())}
        environments = [good | wrong for _, wrong in REFUSED]

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(partial(run, command), environments))

        assert [done.returncode for done in outcomes] == [1] * len(REFUSED)
        last_lines = [done.stderr.strip().split("\n")[-1] for done in outcomes]
        named = [line.split()[-1] for line in last_lines]
        assert named == [name for name, _ in REFUSED]

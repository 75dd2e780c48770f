"""The client of the load: cheap, honest about lost connections, and 64 at once."""

from __future__ import annotations

import json
import math
import select
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from http.client import HTTPConnection, HTTPException
from threading import Barrier, Event
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
#: Gives a new connection, which opens when the first request is sent.
Connect = Callable[[], HTTPConnection]

PATIENCE_SECONDS = 60
#: Anything shorter occurs in a log by chance.
SHORTEST_SECRET = 8

Body = Mapping[str, Any] | list[Any] | bytes | str | None


class UnexpectedAnswer(RuntimeError):
    """An answer that a test takes for granted was another one.

    It is no ``AssertionError``: what a race test expects of the naive server is a
    failed assertion, not a failed preparation.
    """


@dataclass(frozen=True)
class Answer:
    """What came back; a ``status`` of 0 says that nothing did, and ``error`` why.

    ``started`` and ``ended`` are seconds of the monotonic clock.
    """

    status: int
    headers: Message = field(default_factory=Message, repr=False)
    body: bytes = b""
    error: Exception | None = None
    started: float = 0.0
    ended: float = 0.0

    @property
    def seconds(self) -> float:
        return self.ended - self.started

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a refusal; empty for any other answer."""
        return str(self.json()["code"]) if self.status >= 400 else ""

    def expect(self, status: int) -> Any:
        """Return the body of an answer that is no matter of the test.

        :raises UnexpectedAnswer: if it has another status
        """
        if self.status != status:
            raise UnexpectedAnswer(f"{self!r} instead of {status}")
        return self.json() if self.body else None


class Client:
    """Requests on kept-alive connections; any number of threads may share one client.

    Paths are below ``/api``, but for those that begin with two slashes:
    ``client.get("//readyz")`` asks for ``/readyz``. A connection that the server has
    dropped is an answer with status 0; only ``retry_stale`` sends such a request again.
    ``connect`` is for connections with TLS, or from another address.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        pool: deque[HTTPConnection] | None = None,
        secrets: set[str] | None = None,
        connect: Connect | None = None,
    ) -> None:
        self._connect = connect or partial(
            HTTPConnection, urlsplit(url).netloc, timeout=PATIENCE_SECONDS
        )
        self._pool: deque[HTTPConnection] = deque() if pool is None else pool
        self.headers = {"Content-Type": "application/json"}
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"
        #: Every password that was sent; no log may show one.
        self.secrets = set() if secrets is None else secrets
        self.url = url

    def with_token(self, token: str | None) -> Client:
        """Give a client of somebody else that shares the connections."""
        return Client(
            self.url,
            token,
            pool=self._pool,
            secrets=self.secrets,
            connect=self._connect,
        )

    def sign_in(self, email: str, password: str) -> Client:
        body = {"email": email, "password": password}
        answer = self.post("/auth/login", body, retry_stale=True).expect(200)
        return self.with_token(answer["access_token"])

    def request(
        self,
        method: str,
        path: str,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        *,
        retry_stale: bool = False,
    ) -> Answer:
        target = path[1:] if path.startswith("//") else f"/api{path}"
        sent = self._encoded(body)
        merged = {**self.headers, **(headers or {})}
        answer = self._send(method, target, sent, merged, fresh=False)
        if retry_stale and answer.status == 0:
            return self._send(method, target, sent, merged, fresh=True)
        return answer

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Body = None, **options: Any) -> Answer:
        return self.request("POST", path, body, **options)

    def put(self, path: str, body: Body = None, **options: Any) -> Answer:
        return self.request("PUT", path, body, **options)

    def patch(self, path: str, body: Body = None, **options: Any) -> Answer:
        return self.request("PATCH", path, body, **options)

    def delete(self, path: str, body: Body = None, **options: Any) -> Answer:
        return self.request("DELETE", path, body, **options)

    def reconnected(self) -> Client:
        """Give the same client, with connections of its own."""
        client = Client(self.url, secrets=self.secrets, connect=self._connect)
        client.headers = self.headers
        return client

    def trusting(self) -> Client:
        """Give the same client without the look before it sends."""
        self.close()
        client = TrustingClient(
            self.url, pool=self._pool, secrets=self.secrets, connect=self._connect
        )
        client.headers = self.headers
        return client

    def close(self) -> None:
        """Close the connections that no request is using."""
        while self._pool:
            self._pool.pop().close()

    def _encoded(self, body: Body) -> bytes | None:
        if body is None or isinstance(body, bytes):
            return body
        if isinstance(body, str):
            return body.encode()
        if isinstance(body, Mapping):
            self._remember_passwords(body)
        return json.dumps(body).encode()

    def _remember_passwords(self, body: Mapping[str, Any]) -> None:
        for name, value in body.items():
            is_password = "password" in name and isinstance(value, str)
            if is_password and len(value) >= SHORTEST_SECRET:
                self.secrets.add(value)

    def _send(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        fresh: bool,
    ) -> Answer:
        connection = self._connection(fresh=fresh)
        started = time.monotonic()
        try:
            connection.request(method, target, body, headers)
            got = connection.getresponse()
            content = got.read()
        except (OSError, HTTPException) as error:
            connection.close()
            return Answer(0, error=error, started=started, ended=time.monotonic())
        ended = time.monotonic()
        self._pool.append(connection)
        return Answer(got.status, got.headers, content, None, started, ended)

    def _connection(self, *, fresh: bool) -> HTTPConnection:
        """Take a kept connection that is still one, or a new one."""
        while self._pool and not fresh:
            try:
                connection = self._pool.pop()
            except IndexError:  # another thread took the last one
                break
            if not _is_closed(connection):
                return connection
            connection.close()
        return self._connect()


class TrustingClient(Client):
    """A client that believes a connection to be open until it was told otherwise.

    The other one looks before it sends, but a request may still cross the end of its
    connection. With this one that happens each time.
    """

    def _connection(self, *, fresh: bool) -> HTTPConnection:
        try:
            return self._pool.popleft()
        except IndexError:
            return super()._connection(fresh=True)


def _is_closed(connection: HTTPConnection) -> bool:
    """Return whether the server has closed a connection that nobody was using.

    Servers do that after some time of silence. Nothing was sent yet, so another
    connection may be taken; what is lost on the way stays lost.
    """
    if connection.sock is None:  # the last answer said "Connection: close"
        return True
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)


def until(holds: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Look again and again until something holds.

    :raises TimeoutError: if it does not in time
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"It took more than {seconds} seconds.")
        time.sleep(0.02)


def at_once(number: int, work: Callable[[int], T]) -> list[T]:
    """Let so many threads begin ``work(0)``, ``work(1)``, … at the same moment.

    What one of them raises is raised here, after all have ended.
    """
    start = Barrier(number, timeout=PATIENCE_SECONDS)

    def one(index: int) -> T:
        start.wait()
        return work(index)

    with ThreadPoolExecutor(number) as pool:
        futures = [pool.submit(one, index) for index in range(number)]
    return [future.result() for future in futures]


def counted(answers: Iterable[Answer]) -> Counter[int]:
    """Count the statuses; a plain dict compares with it."""
    return Counter(answer.status for answer in answers)


def codes(answers: Iterable[Answer]) -> set[str]:
    """Collect the reasons of those that were refused."""
    return {answer.code for answer in answers if answer.status >= 400}


def percentile(answers: Iterable[Answer], share: float) -> float:
    """Return the seconds that this share (0 to 1) of the answers took at most."""
    seconds = sorted(answer.seconds for answer in answers)
    return seconds[max(math.ceil(share * len(seconds)) - 1, 0)]


class Load:
    """Keep ``threads`` calling ``work`` until the block ends, and keep the answers.

    What a call raises ends its thread and is raised when the block ends.
    """

    def __init__(
        self,
        work: Callable[[], Answer],
        *,
        threads: int = 4,
        pause_seconds: float = 0.0,
    ) -> None:
        self.work = work
        self.threads = threads
        self.pause_seconds = pause_seconds
        self.answers: list[Answer] = []
        self._over = Event()
        self._futures: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self.threads)
        self._futures = [self._pool.submit(self._loop) for _ in range(self.threads)]
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._pool.shutdown()
        for future in self._futures:
            future.result()

    def percentile(self, share: float) -> float:
        return percentile(self.answers, share)

    def between(self, start: float, end: float) -> list[Answer]:
        """Return the answers to requests that began in this span."""
        return [answer for answer in self.answers if start <= answer.started < end]

    def await_more(self, number: int, status: int = 200) -> None:
        """Wait for so many more answers of this status.

        :raises TimeoutError: if they do not come
        """
        seen = len(self.answers)
        until(lambda: counted(self.answers[seen:])[status] >= number)

    def _loop(self) -> None:
        while not self._over.is_set():
            self.answers.append(self.work())
            if self.pause_seconds:
                self._over.wait(self.pause_seconds)

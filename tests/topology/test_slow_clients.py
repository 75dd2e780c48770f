"""Clients that dawdle at the proxy, and servers that wait: the others go on working."""

from __future__ import annotations

import resource
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event

import pytest

from ..reliability.load import Answer, Load, at_once, counted, until
from ..reliability.raw_socket import head_of
from ..reliability.services import MariaDB
from ..reliability.test_production_form import Browser
from .front import Front
from .test_restarts import await_rotation

SLOW, READERS, IDLE = 200, 60, 2_000
#: "A second or so", on a machine that has other things to do.
LONGEST_WAIT_SECONDS = 2.0
PATIENCE_SECONDS = 30
PAUSE_SECONDS = 0.1
LOOKS = 10
#: Longer than the proxy needs to notice that no server is ready.
HUNG_SECONDS = 8
EXPORT = "/admin/inventory/part/export/csv/"
#: An export of some megabytes, which no buffer on the way holds.
MANY_PARTS = """
from inventory.models import Part
Part.objects.bulk_create([
    Part(part_number=f"SLOW-{i}", name="Pad", description="x" * 2000,
         current_cost_cents=1) for i in range(2000)
])
"""
NO_PARTS = """
from inventory.models import Part
Part.objects.filter(part_number__startswith="SLOW-").delete()
"""

LOGIN = head_of("POST", "/api/auth/login")
#: More than the proxy keeps until it asks a server.
LARGE = LOGIN + b"Content-Length: 100000\r\n\r\n" + b" " * 40_000
LARGE_CHUNK = LOGIN + b"Transfer-Encoding: chunked\r\n\r\n9c40\r\n" + b" " * 40_000
#: What each of the slow says at once, and what it adds from time to time.
HABITS = {
    "headers": (LOGIN + b"X-Slow: ", b"x"),
    "silent headers": (LOGIN, b""),
    "body": (LOGIN + b'Content-Length: 1000\r\n\r\n{"email": ', b" "),
    "silent body": (LOGIN + b'Content-Length: 1000\r\n\r\n{"email": ', b""),
    "large body": (LARGE, b" "),
    "silent large body": (LARGE, b""),
    "chunks": (LOGIN + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n \r\n"),
    "large chunks": (LARGE_CHUNK + b"\r\n", b"1\r\n \r\n"),
}


def connected(front: Front, *, takes_bytes: int = 0) -> ssl.SSLSocket:
    """Connect as a client that takes no more than so many bytes, if any are named."""
    host, _, port = front.address.partition(":")
    plain = socket.socket()
    plain.settimeout(PATIENCE_SECONDS)
    if takes_bytes:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes_bytes)
    plain.connect((host, int(port)))
    return front.certificate.trust.wrap_socket(plain, server_hostname=host)


@contextmanager
def dawdling(front: Front, first: bytes, more: bytes) -> Iterator[None]:
    """Keep so many connections busy with requests that never end."""
    over = Event()

    def add_more(slow: list[ssl.SSLSocket]) -> None:
        while not over.wait(PAUSE_SECONDS):
            for connection in slow:
                with suppress(OSError):
                    connection.sendall(more)

    with ExitStack() as opened, ThreadPoolExecutor(1) as pool:
        slow = [opened.enter_context(connected(front)) for _ in range(SLOW)]
        for connection in slow:
            connection.sendall(first)
        adding = pool.submit(add_more, slow)
        try:
            yield
        finally:
            over.set()
            adding.result()


def requests_of_others(front: Front) -> list[Callable[[], Answer]]:
    """Return what others want meanwhile, each on a connection of its own."""
    part = front.shop.new_part()

    def fresh(method: str, path: str, body: object = None) -> Answer:
        client = front.shop.owner.reconnected()
        try:
            return client.request(method, path, body)  # type: ignore[arg-type]
        finally:
            client.close()

    return [
        lambda: fresh("GET", "//healthz"),
        lambda: fresh("GET", "/mechanics"),
        lambda: fresh("PATCH", f"/inventory/{part}", {"name": "Brake disc"}),
    ]


def assert_nobody_waits(others: list[Callable[[], Answer]]) -> None:
    answers = [ask() for _ in range(LOOKS) for ask in others]
    assert counted(answers) == {200: len(answers)}
    assert max(answer.seconds for answer in answers) < LONGEST_WAIT_SECONDS


class TestSlowSenders:
    @pytest.mark.parametrize("habit", HABITS)
    def test_keep_nobody_waiting(self, front: Front, habit: str) -> None:
        others = requests_of_others(front)

        with dawdling(front, *HABITS[habit]):
            assert_nobody_waits(others)

        front.shop.assert_invariants()


class TestSlowReaders:
    @pytest.fixture
    def many_parts(self, front: Front) -> Iterator[None]:
        front.servers[0].manage("shell", "-c", MANY_PARTS)
        yield
        front.servers[0].manage("shell", "-c", NO_PARTS)

    def test_of_an_export_keep_nobody_waiting(
        self, front: Front, many_parts: None
    ) -> None:
        others = requests_of_others(front)
        browser = Browser(front.client_at("127.0.0.1"))
        browser.sign_in()
        session = browser.cookies["sessionid"].value
        request = head_of("GET", EXPORT, Cookie=f"sessionid={session}") + b"\r\n"

        with ExitStack() as opened:
            readers = [
                opened.enter_context(connected(front, takes_bytes=4096))
                for _ in range(READERS)
            ]
            for reader in readers:
                reader.sendall(request)
            begun = readers[0].recv(100)
            assert_nobody_waits(others)

        assert begun.startswith(b"HTTP/1.1 200 OK")


class TestIdleConnections:
    def test_keep_nobody_waiting(self, front: Front) -> None:
        allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, IDLE + 500), most))
        others = requests_of_others(front)
        host, _, port = front.address.partition(":")

        with ExitStack() as opened:
            for _ in range(IDLE):
                idle = socket.create_connection((host, int(port)))
                opened.callback(idle.close)
            assert_nobody_waits(others)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


class TestHungDatabase:
    def test_leaves_a_thread_for_who_asks_how_a_server_is(
        self, front: Front, mariadb: MariaDB
    ) -> None:
        client = front.shop.owner
        client.get("/inventory").expect(200)
        clients = [front.client_at("127.0.0.1"), *map(front.direct, front.servers)]
        answers: list[Answer] = []

        mariadb.pause()
        try:
            with Load(lambda: client.get("/inventory"), threads=64):
                end = time.monotonic() + HUNG_SECONDS
                while time.monotonic() < end:
                    answers += [each.get("//healthz") for each in clients]
                    time.sleep(PAUSE_SECONDS)
                mariadb.resume()
        finally:
            mariadb.resume()
        until(lambda: client.get("/inventory").status == 200)
        await_rotation(front)

        assert counted(answers) == {200: len(answers)}
        assert max(answer.seconds for answer in answers) < LONGEST_WAIT_SECONDS


class TestWorkers:
    def test_share_the_work(self, front: Front) -> None:
        workers = [pid for server in front.servers for pid in server.worker_pids()]
        before = list(map(busy_ticks, workers))

        for _ in range(20):
            at_once(16, lambda _: front.shop.owner.get("/inventory").expect(200))

        after = map(busy_ticks, workers)
        ticks = [now - then for now, then in zip(after, before, strict=True)]
        assert len(ticks) == 4
        assert min(ticks) > sum(ticks) / len(ticks) / 3


def busy_ticks(pid: int) -> int:
    """Return the processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])

"""Servers come and go behind the proxy, and the shop stays open."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import IncompleteRead

import pytest

from ..reliability.load import Answer, Load, counted, until
from ..reliability.services import MariaDB
from ..reliability.test_faults import Shelf
from .front import THREADS, WORKERS, Front

#: Kept-alive connections are idle for most of the time, and so are they when they end.
IDLE_SECONDS = 0.01
#: What an answer may take while a server comes or goes: a password is hashed beside it.
LONGEST_SECONDS = 10
ONE_IS_DOWN = "Server ready/one is DOWN"
#: The last of a killed server's processes is gone so long after the first.
DYING_SECONDS = 2


@pytest.fixture
def front(front: Front) -> Iterator[Front]:
    """The shop, whose servers a test may end."""
    yield front
    for server in front.servers:
        if server.process.poll() is not None:
            server.start()
    await_rotation(front)


def await_rotation(front: Front) -> None:
    """Wait until the proxy sends requests to both servers."""

    def ask() -> Answer:
        client = front.shop.client()
        try:
            return client.get("//")
        finally:
            client.close()

    until(lambda: len(front.served_by(8, ask)) == 2)
    # While none is ready the proxy sends requests to all; then that says nothing yet.
    until(lambda: all(is_up(front, name) for name in ("one", "two")))


def is_up(front: Front, name: str) -> bool:
    """Return whether the proxy has found a server ready since it last was not."""
    said = f"Server ready/{name} is "
    return front.proxy.log.count(f"{said}UP") == front.proxy.log.count(f"{said}DOWN")


class Traffic:
    """People who read and write on kept-alive connections while servers change."""

    def __init__(self, front: Front) -> None:
        owner = front.shop.owner
        self.shelf = Shelf(front.shop, owner.reconnected().trusting())
        self.readers = owner.reconnected().trusting()
        self.writes = self._load(self.shelf.add_one)
        self.reads = self._load(lambda: self.readers.get("/inventory"))
        self.pages = self._load(lambda: self.readers.get("//"))
        self.loads = [self.writes, self.reads, self.pages]

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            with self.writes, self.reads, self.pages:
                self.go_on()
                yield
                self.go_on()
        finally:
            self.readers.close()
            self.shelf.client.close()

    def assert_honest(self) -> None:
        """:raises AssertionError: if something acknowledged is not in the books"""
        self.shelf.assert_honest()
        self.shelf.client.close()

    def go_on(self) -> None:
        for load in self.loads:
            load.await_more(50)

    @property
    def answers(self) -> list[Answer]:
        return [answer for load in self.loads for answer in load.answers]

    @staticmethod
    def _load(work: Callable[[], Answer]) -> Load:
        return Load(work, threads=8, pause_seconds=IDLE_SECONDS)


def workers_of(front: Front) -> set[int]:
    return {pid for server in front.servers for pid in server.worker_pids()}


def failed(load: Load) -> list[Answer]:
    return [answer for answer in load.answers if answer.status != 200]


class TestUpdate:
    def test_of_one_server_after_the_other_fails_no_request(self, front: Front) -> None:
        traffic = Traffic(front)
        before = len(front.records())

        with traffic.running():
            for server in front.servers:
                server.process.terminate()
                assert server.process.wait(30) == 0
                server.start()
                await_rotation(front)

        assert [answer for load in traffic.loads for answer in failed(load)] == []
        assert max(answer.seconds for answer in traffic.answers) < LONGEST_SECONDS
        assert len(traffic.answers) > 1000
        assert {each["status"] for each in front.records()[before:]} <= {200, 201}
        traffic.assert_honest()

    def test_takes_a_server_out_of_rotation_while_it_still_answers(
        self, front: Front
    ) -> None:
        server = front.servers[0]
        down = front.proxy.log.count(ONE_IS_DOWN)
        client = front.shop.client()

        with Load(lambda: client.get("//"), threads=1) as quiet:
            server.process.terminate()
            until(lambda: front.proxy.log.count(ONE_IS_DOWN) > down)
            still_answers = front.direct(server).get("/auth/me")
            quiet.await_more(2)
            noted = len(front.records())
            quiet.await_more(100)
            server.process.wait(30)

        assert {each["server"] for each in front.records()[noted:]} == {"two"}
        assert counted(quiet.answers).keys() == {200}
        assert still_answers.status == 401


class TestReload:
    def test_of_both_servers_fails_no_request(self, front: Front) -> None:
        traffic = Traffic(front)
        old = workers_of(front)

        with traffic.running():
            for server in front.servers:
                server.process.send_signal(signal.SIGHUP)
            until(lambda: not old & workers_of(front))

        assert [answer for load in traffic.loads for answer in failed(load)] == []
        traffic.assert_honest()


class TestKilledServer:
    def test_takes_along_only_what_it_was_doing(self, front: Front) -> None:
        traffic, victim = Traffic(front), front.servers[0]

        with traffic.running():
            victim.kill()
            gone = time.monotonic()
            traffic.go_on()
            victim.start()
            await_rotation(front)

        cut = [*failed(traffic.reads), *failed(traffic.pages)]
        assert all(isinstance(each.error, IncompleteRead) for each in cut)
        assert len(cut) <= WORKERS * THREADS
        assert counted(traffic.writes.answers).keys() <= {200, 502, 0}
        late = [each for each in failed(traffic.writes) if each.started > gone]
        assert all(each.started < gone + DYING_SECONDS for each in late)
        traffic.assert_honest()


class TestNoServer:
    def test_is_said_in_the_envelope(self, front: Front) -> None:
        for server in front.servers:
            server.kill()

        answer = front.client_at("127.0.0.1").get("/inventory")

        assert (answer.status, answer.code) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "2"
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


class TestDatabaseThatIsAway:
    def test_is_told_by_a_server_and_not_by_the_proxy(
        self, front: Front, mariadb: MariaDB
    ) -> None:
        client = front.shop.owner
        client.get("/inventory").expect(200)

        mariadb.stop()
        try:
            until(lambda: "backend 'ready' has no server" in front.proxy.log)
            answer = client.get("/inventory")
            page = client.get("//admin/", headers={"Cookie": "sessionid=of-nobody"})
            alive = client.get("//healthz")
        finally:
            mariadb.start()
        until(lambda: client.get("/inventory").status == 200)

        assert (answer.status, answer.code) == (503, "database_unavailable")
        assert b"Back in a moment" in page.body
        assert alive.status == 200

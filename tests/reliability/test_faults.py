"""Workers that are killed, servers that reload or stop, a database that goes away."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from ..support.server import COMMAND, OWNER
from .load import Answer, Client, Load, at_once, counted, until
from .services import MariaDB
from .shop import PROCESSES, THREADS, Shop, running_shop

#: What shares a server is for one process; it would start in each otherwise.
ON_FRAGILE_MARIADB = pytest.mark.xdist_group("fragile mariadb")

LONGEST_ANSWER_SECONDS = 12
BACK_WITHIN_SECONDS = 2
UNAVAILABLE = {"database_unavailable", "database_busy"}
#: Kept-alive connections are idle for most of the time, and so are they when they end.
IDLE_SECONDS = 0.1

#: gunicorn whose workers end where they are when they are told to stop.
HASTY_SERVER = [
    *("/bin/sh", "-c"),
    f"exec {sys.executable} -m gunicorn --config python:tests.reliability.no_grace_conf"
    " --bind $HOST:$PORT --workers $WORKERS --threads $THREADS"
    " --worker-class gthread mechanic_shop.wsgi:application",
]
LOSES_REQUESTS = pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="ends without an answer; a test that passes here proves nothing",
)


class Shelf:
    """A part that gets unit after unit, each under an idempotency key of its own."""

    def __init__(self, shop: Shop, client: Client | None = None) -> None:
        self.shop = shop
        self.part = shop.new_part()
        self.client = client or shop.owner
        self.answered: list[str] = []
        self.unsure: list[str] = []

    def add_one(self) -> Answer:
        key = uuid4().hex
        answer = self._send(key)
        if answer.status == 200:
            self.answered.append(key)
        elif not isinstance(answer.error, ConnectionRefusedError):
            self.unsure.append(key)
        return answer

    def assert_honest(self) -> None:
        """Check that what was acknowledged is there, and that retries settle the rest.

        :raises AssertionError: if not
        """
        answered, unsure = len(self.answered), len(self.unsure)
        assert answered <= self.shop.stock(self.part) <= answered + unsure
        for key in self.unsure:
            self._send(key).expect(200)
        assert self.shop.moved(self.part) == [1] * (answered + unsure)
        self.shop.assert_invariants()

    def _send(self, key: str) -> Answer:
        return self.client.patch(
            f"/inventory/{self.part}/adjust-quantity",
            {"adjustment": 1},
            headers={"Idempotency-Key": key},
        )


@pytest.fixture(scope="module")
def own_mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    mariadb = MariaDB(tmp_path_factory.mktemp("fragile-mariadb")).start()
    yield mariadb
    mariadb.stop()


@pytest.fixture
def mariadb(own_mariadb: MariaDB) -> Iterator[MariaDB]:
    """A database to stop and to pause, which no test elsewhere uses."""
    yield own_mariadb
    own_mariadb.revive()


@pytest.fixture(scope="module")
def fragile(
    own_mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A shop on that database."""
    folder = tmp_path_factory.mktemp("on-fragile-mariadb")
    with running_shop(folder, on="mariadb", database_url=own_mariadb.url) as shop:
        yield shop


# --- Workers --------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", pytest.param("mariadb", marks=ON_FRAGILE_MARIADB)])
def mortal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A shop whose workers may be killed."""
    if request.param == "mariadb":
        yield request.getfixturevalue("fragile")
        return
    with running_shop(tmp_path_factory.mktemp("mortal"), on="sqlite") as shop:
        yield shop


def killed(shop: Shop, worker: int, load: Load) -> int:
    """Kill a worker and return the one that came for it, while the others go on."""
    before = set(shop.server.worker_pids())
    os.kill(worker, signal.SIGKILL)
    until(lambda: len(set(shop.server.worker_pids()) - {worker}) == len(before))
    load.await_more(20)
    (successor,) = set(shop.server.worker_pids()) - before
    return successor


class TestKilledWorker:
    def test_takes_along_nothing_that_was_acknowledged(self, mortal: Shop) -> None:
        shelf = Shelf(mortal)
        one, *others = mortal.server.worker_pids()

        with Load(shelf.add_one, threads=16) as load:
            # The same one three times within seconds, which is no crash loop.
            successor = killed(mortal, one, load)
            successor = killed(mortal, successor, load)
            killed(mortal, successor, load)
            for worker in others:
                killed(mortal, worker, load)
        alive = mortal.of_each_worker(lambda client: client.get("//readyz"))

        assert shelf.unsure, "no request was under way when its worker was killed"
        assert counted(load.answers).keys() == {200, 0}
        assert counted(alive) == {200: PROCESSES}
        shelf.assert_honest()


# --- Reload and stop ------------------------------------------------------------------


def broken(answers: Iterable[Answer]) -> list[Answer]:
    """Pick what got no good answer, but for connections that were refused."""
    return [
        answer
        for answer in answers
        if answer.status != 200 and not isinstance(answer.error, ConnectionRefusedError)
    ]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            COMMAND, id="product", marks=pytest.mark.xdist_group("changing server")
        ),
        pytest.param(
            HASTY_SERVER,
            id="naive",
            marks=(LOSES_REQUESTS, pytest.mark.xdist_group("naive changing server")),
        ),
    ],
)
def changing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A shop whose server is reloaded; one without grace loses requests."""
    folder = tmp_path_factory.mktemp("changing")
    with running_shop(folder, on="sqlite", workers=2, command=request.param) as shop:
        yield shop


class TestServer:
    def test_reloads_without_a_failed_request(self, changing: Shop) -> None:
        shelf, server = Shelf(changing, changing.owner.trusting()), changing.server
        old = set(server.worker_pids())

        with Load(shelf.add_one, threads=8, pause_seconds=IDLE_SECONDS) as load:
            load.await_more(20)
            server.process.send_signal(signal.SIGHUP)
            until(lambda: not old & set(server.worker_pids()) or broken(load.answers))
            load.await_more(20)

        assert broken(load.answers) == []
        shelf.assert_honest()


@pytest.mark.xdist_group("changing server")
class TestStop:
    """What it must not lose is in ``topology/test_restarts.py``."""

    def test_is_told_to_a_proxy_before_anybody_is_turned_away(
        self, tmp_path: Path
    ) -> None:
        with running_shop(tmp_path, on="sqlite", workers=2, DRAIN_SECONDS="3") as shop:
            process = shop.server.process
            ready = shop.client().get("//readyz")
            process.terminate()
            until(lambda: shop.client().get("//readyz").status == 503, seconds=2)

            answers = [shop.owner.get("/inventory") for _ in range(20)]
            readiness = shop.client().get("//readyz")

            assert process.poll() is None
            assert process.wait(20) == 0

        assert ready.status == 200
        assert counted(answers) == {200: 20}
        assert readiness.json() == {"status": "stopping"}

    def test_is_in_order_while_a_worker_still_starts(self, tmp_path: Path) -> None:
        with running_shop(tmp_path, on="sqlite", workers=2) as shop:
            process, before = shop.server.process, set(shop.server.worker_pids())
            os.kill(min(before), signal.SIGKILL)
            until(lambda: set(shop.server.worker_pids()) - before)
            process.terminate()

            assert process.wait(20) == 0


# --- The database ---------------------------------------------------------------------


class Traffic:
    """Everybody who asks for something while the database comes and goes."""

    def __init__(self, shop: Shop) -> None:
        client, admin = shop.owner, shop.in_admin()
        self.shelf = Shelf(shop)
        self.api = [
            loop(lambda: client.get("/inventory")),
            loop(self.shelf.add_one),
            loop(lambda: client.post("/auth/login", OWNER)),
        ]
        self.page = loop(lambda: client.get("//admin/inventory/part/", headers=admin))
        self.readiness = loop(lambda: client.get("//readyz"))
        self.health = loop(lambda: client.get("//healthz"))
        self.need_database = [*self.api, self.page, self.readiness]

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as running:
            for load in (*self.need_database, self.health):
                running.enter_context(load)
            yield

    def await_everybody(self, status: int) -> None:
        """Wait until everybody got some more such answers."""
        for load in self.need_database:
            load.await_more(5, status)


def loop(work: Callable[[], Answer]) -> Load:
    return Load(work, threads=2, pause_seconds=0.03)


@ON_FRAGILE_MARIADB
class TestDatabase:
    @pytest.mark.parametrize("end", [MariaDB.stop, MariaDB.kill])
    def test_that_goes_away_and_comes_back_loses_no_effect(
        self, end: Callable[[MariaDB], None], mariadb: MariaDB, fragile: Shop
    ) -> None:
        traffic = Traffic(fragile)

        with traffic.running():
            traffic.await_everybody(200)
            end(mariadb)
            gone = time.monotonic()
            traffic.await_everybody(503)
            returning = time.monotonic()
            mariadb.start()
            back = time.monotonic()
            traffic.await_everybody(200)

        for load in traffic.need_database:
            assert counted(load.answers).keys() == {200, 503}
            assert counted(begun_and_ended(load, gone, returning)).keys() == {503}
            assert first_good_after(load, back) <= BACK_WITHIN_SECONDS
        for load in traffic.api:
            assert_all_are_envelopes(refused(load))
        assert_all_are_pages(refused(traffic.page))
        assert counted(traffic.health.answers).keys() == {200}
        traffic.shelf.assert_honest()

    def test_that_hangs_makes_nobody_wait_for_long(
        self, mariadb: MariaDB, fragile: Shop
    ) -> None:
        shelf, client, number = Shelf(fragile), fragile.owner, PROCESSES * THREADS
        requests: list[Callable[[], Answer]] = [
            lambda: client.get("/inventory"),
            lambda: client.get("/mechanics"),
            lambda: client.post("/auth/login", OWNER),
            shelf.add_one,
        ]
        at_once(number, lambda i: requests[i % 4]().expect(200))

        mariadb.pause()
        answers = at_once(number, lambda i: requests[i % 4]())
        mariadb.resume()
        afterwards = fragile.of_each_worker(lambda own: own.get("/inventory"))

        assert counted(answers) == {503: number}
        assert_all_are_envelopes(answers)
        assert max(answer.seconds for answer in answers) <= LONGEST_ANSWER_SECONDS
        assert counted(afterwards) == {200: PROCESSES}
        shelf.assert_honest()


def refused(load: Load) -> list[Answer]:
    return [answer for answer in load.answers if answer.status != 200]


def begun_and_ended(load: Load, start: float, end: float) -> list[Answer]:
    return [each for each in load.between(start, end) if each.ended < end]


def first_good_after(load: Load, moment: float) -> float:
    """Return the seconds from a moment to the first good answer after it."""
    good = [each.ended for each in load.answers if each.status == 200]
    return min(ended for ended in good if ended > moment) - moment


def assert_all_are_envelopes(answers: list[Answer]) -> None:
    """Check that each says in the API's manner that the database is the reason."""
    for answer in answers:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Retry-After"].isdecimal()
        assert answer.code in UNAVAILABLE
        assert answer.json().keys() == {"error", "message", "code", "request_id"}


def assert_all_are_pages(answers: list[Answer]) -> None:
    """Check that each is the page for people whose request could not be answered."""
    for answer in answers:
        assert answer.headers["Content-Type"].startswith("text/html")
        assert answer.headers["Retry-After"].isdecimal()
        assert b"Back in a moment" in answer.body

"""A shop on a server, and the rows that a scenario begins with."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx

from ..support.manage_process import CommandFailed
from ..support.server import COMMAND, NO_LIMITS, OWNER, Server, running_server
from .load import Client, at_once, until

PROCESSES = 4
THREADS = 8
PRODUCT = "tests.reliability.server_settings"
NAIVE = "tests.reliability.naive_settings"

Row = dict[str, Any]
T = TypeVar("T")


class Shop:
    """What a scenario needs of a running server; every ``new_…`` row is the test's own.

    ``kind`` is "product" or "naive", ``on`` is "sqlite" or "mariadb". A ``client``
    reaches the shop in another way than directly.
    """

    def __init__(
        self, server: Server, *, on: str, kind: str, client: Client | None = None
    ) -> None:
        self.server = server
        self.on = on
        self.kind = kind
        self._anonymous = client or Client(server.url, secrets=server.secrets)
        self._numbers = count(1)

    @cached_property
    def owner(self) -> Client:
        """A client of the shop's superuser."""
        return self._anonymous.sign_in(**OWNER)

    def in_admin(self) -> dict[str, str]:
        """Sign the owner in to the back office and return the headers for it."""
        with httpx.Client(base_url=self.server.url) as browser:
            form = browser.get("/admin/login/").raise_for_status()
            fields = {
                "username": OWNER["email"],
                "password": OWNER["password"],
                "csrfmiddlewaretoken": form.cookies["csrftoken"],
            }
            browser.post("/admin/login/", data=fields)
            session = browser.cookies["sessionid"]
        return {"Cookie": f"sessionid={session}"}

    def client(self, token: str | None = None) -> Client:
        return self._anonymous.with_token(token)

    def warm_up(self) -> None:
        """Keep all processes busy until each has its code and all its threads.

        They start threads one by one as requests pile up; until then nobody races.
        """
        path, match = f"/customers/{self.new_customer()}", {"If-Match": "*"}
        at_once(64, lambda _: self.owner.patch(path, {"phone": "2"}, headers=match))

    def close(self) -> None:
        self._anonymous.close()

    # --- Rows -------------------------------------------------------------------------

    def new_customer(self, **fields: Any) -> int:
        body = {"first_name": "Ann", "last_name": self._name("Lee"), "phone": "1"}
        return self._create("/customers", {**body, **fields}, "customer_id")

    def new_vehicle(self, customer: int | None = None, **fields: Any) -> int:
        path = f"/customers/{customer or self.new_customer()}/vehicles"
        body = {"make": "Fiat", "model": self._name("Panda"), "year": 2003}
        return self._create(path, {**body, **fields}, "vehicle_id")

    def new_ticket(self, vehicle: int | None = None, **fields: Any) -> int:
        body = {
            "vehicle_id": vehicle or self.new_vehicle(),
            "problem_description": self._name("It rattles"),
            "odometer_miles": 90_000,
        }
        return self._create("/service-tickets", {**body, **fields}, "ticket_id")

    def new_tickets(self, number: int, vehicle: int | None = None) -> list[int]:
        vehicle = vehicle or self.new_vehicle()
        return self._several(number, lambda: self.new_ticket(vehicle))

    def new_part(self, *, quantity_in_stock: int = 0, **fields: Any) -> int:
        body = {
            "name": self._name("Brake pad"),
            "price": 10,
            "quantity_in_stock": quantity_in_stock,
        }
        return self._create("/inventory", {**body, **fields}, "part_id")

    def new_parts(self, number: int, *, quantity_in_stock: int = 0) -> list[int]:
        return self._several(
            number, lambda: self.new_part(quantity_in_stock=quantity_in_stock)
        )

    def new_mechanic(self, **fields: Any) -> int:
        name = self._name("Max")
        body = {
            "full_name": name,
            "email": f"{name.lower().replace(' ', '.')}@shop.example",
            "phone": "1",
            "salary": 50_000,
        }
        return self._create("/mechanics", {**body, **fields}, "mechanic_id")

    # --- What is there now ------------------------------------------------------------

    def part(self, part_id: int) -> Row:
        return self._read(f"/inventory/{part_id}")

    def ticket(self, ticket_id: int) -> Row:
        return self._read(f"/service-tickets/{ticket_id}")

    def stock(self, part_id: int) -> int:
        return int(self.part(part_id)["quantity_in_stock"])

    def movements(self, part_id: int) -> list[Row]:
        """Return what moved a part, oldest first."""
        return self.rows(f"/inventory/{part_id}/movements", "movements")[::-1]

    def moved(self, part_id: int) -> list[int]:
        """Return by how much the stock moved each time since the part is there."""
        moves = self.movements(part_id)
        return [move["delta"] for move in moves if move["reason"] != "initial"]

    def events(self, ticket_id: int, kind: str | None = None) -> list[Row]:
        """Return what happened to a ticket, oldest first."""
        rows = self.rows(f"/service-tickets/{ticket_id}/events", "events")[::-1]
        return [row for row in rows if kind in {None, row["kind"]}]

    def rows(self, path: str, collection: str) -> list[Row]:
        """Return the rows of all pages of a list."""
        rows: list[Row] = []
        for page in count(1):
            body = self._read(f"{path}?per_page=100&page={page}")
            rows += body[collection]
            if not body["pagination"]["has_next"]:
                break
        return rows

    def of_each_worker(self, ask: Callable[[Client], T]) -> list[T]:
        """Ask the owner's question once of every worker, the others being paused."""
        workers = self.server.worker_pids()
        return [self._of_one(worker, workers, ask) for worker in workers]

    def _of_one(self, worker: int, workers: list[int], ask: Callable[[Client], T]) -> T:
        others = [pid for pid in workers if pid != worker]
        with paused(*others), closing(self.owner.reconnected()) as client:
            return ask(client)

    def assert_invariants(self) -> None:
        """Check all books of a product; of a naive shop none.

        What an earlier test has broken in a naive shop stays broken, so that only what
        a test asserts of its own rows tells anything there.

        :raises AssertionError: with the violations
        """
        if self.kind == "naive":
            return
        try:
            self.server.manage("check_invariants")
        except CommandFailed as error:
            raise AssertionError(str(error)) from error

    def _several(self, number: int, create: Callable[[], int]) -> list[int]:
        with ThreadPoolExecutor(PROCESSES) as pool:
            return list(pool.map(lambda _: create(), range(number)))

    def _create(self, path: str, body: Row, key: str) -> int:
        return int(self.owner.post(path, body, retry_stale=True).expect(201)[key])

    def _read(self, path: str) -> Row:
        answer: Row = self.owner.get(path, retry_stale=True).expect(200)
        return answer

    def _name(self, name: str) -> str:
        return f"{name} {next(self._numbers)}"


@contextmanager
def paused(*pids: int) -> Iterator[None]:
    """Let workers hang for a while: what they accepted before has to wait."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        # Until the last thread has stopped, it may still accept a connection.
        until(lambda: all(map(_is_stopped, pids)))
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _is_stopped(pid: int) -> bool:
    states = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(state.rpartition(") ")[2].startswith("T") for state in states)


@contextmanager
def running_shop(
    folder: Path,
    *,
    on: str,
    kind: str = "product",
    database_url: str | None = None,
    redis_url: str = "",
    workers: int = PROCESSES,
    threads: int = THREADS,
    command: list[str] = COMMAND,
    limits: bool = False,
    **settings: str,
) -> Iterator[Shop]:
    """Serve a new shop, for a test that breaks or configures it.

    Without ``limits`` nobody is throttled, with them it is as production is.
    """
    unlimited = {} if limits else NO_LIMITS
    with running_server(
        folder,
        workers=workers,
        threads=threads,
        database_url=database_url or f"sqlite:///{folder / 'server.sqlite3'}",
        redis_url=redis_url,
        settings_module=PRODUCT if kind == "product" else NAIVE,
        command=command,
        has_owner=True,
        **{**unlimited, **settings},
    ) as server:
        # The first worker answers before the last is there, and would race with itself.
        until(lambda: server.log.count("Booting worker with pid") >= workers)
        shop = Shop(server, on=on, kind=kind)
        try:
            yield shop
        finally:
            shop.close()

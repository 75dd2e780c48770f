"""Bodies that are spoiled, huge or never end, while the others want to work."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mechanic_shop.testing.access import MISSING, Rule
from mechanic_shop.testing.facts import contracts
from mechanic_shop.testing.garage import fill

from .load import Answer, Client, at_once
from .raw_socket import head_of, raw_sockets
from .request_fuzzing import Mutant, mutant
from .shop import Shop

# --- Spoiled bodies -------------------------------------------------------------------

SEEDS = {"sqlite": 20_250_301, "mariadb": 20_250_302}
BODIES_EACH = 5_000
THREADS = 4
FAULTS_SHOWN = 5
PASSWORD = "an-own-horse-battery"
ENVELOPE = ("error", "message", "code", "request_id")

WRITES = [rule for kind in contracts() for rule in kind.rules if rule.is_write]
#: Hashing a password takes as long as twenty other requests.
HASHING = ("register", "login", "password")
WEIGHTS = [0.2 if rule.path.endswith(HASHING) else 1.0 for rule in WRITES]

#: What an operation creates, and the name of its id in the answer.
CREATED = {
    "POST /customers": "customer",
    "POST /customers/{}/vehicles": "vehicle",
    "POST /mechanics": "mechanic",
    "POST /service-tickets": "ticket",
    "POST /inventory": "part",
}
#: Deleted are only rows that a spoiled request has created before.
DELETED = {"DELETE /service-tickets/{}": "ticket"} | {
    f"DELETE {path}": word
    for path, word in {
        "/customers/{}": "customer",
        "/customers/{}/vehicles/{}": "vehicle",
        "/mechanics/{}": "mechanic",
        "/inventory/{}": "part",
    }.items()
}


@dataclass
class Target:
    """A customer's rows, the clients who send, and what they made of it so far."""

    owner: Client
    customer: Client
    rows: dict[str, list[int]]
    texts: dict[str, str]
    leaving: list[Client]
    new: dict[str, deque[int]] = field(
        default_factory=lambda: {
            word: deque([MISSING], maxlen=10) for word in CREATED.values()
        }
    )

    def words(self, random: Random, operation: str) -> dict[str, Any]:
        """Choose a row for each word of the tables of access."""
        words: dict[str, Any] = {
            word: random.choice(rows) for word, rows in self.rows.items()
        }
        word = DELETED.get(operation)
        if word:
            newest = random.choice(list(self.new[word]))
            words |= {word: newest, "empty": newest}
        return words | self.texts

    def sender(self, random: Random, rule: Rule) -> Client:
        if rule.path == "/auth/logout":
            return random.choice(self.leaving)
        return random.choice((self.owner, self.owner, self.customer))

    def learn(self, operation: str, answer: Answer) -> None:
        word = CREATED.get(operation)
        if word and answer.status == 201:
            self.new[word].append(answer.json()[f"{word}_id"])


def aim_at(shop: Shop) -> Target:
    """Prepare rows of every kind, so that what is still valid has an effect."""
    email = f"input-{shop.new_part()}@people.example"
    body = {"first_name": "Ida", "last_name": "Input", "phone": "1", "email": email}
    registered = {**body, "password": PASSWORD}
    shop.client().post("/auth/register", registered, retry_stale=True).expect(201)
    clients = [shop.client().sign_in(email, PASSWORD) for _ in range(6)]
    (customer,) = clients[0].get("/customers").expect(200)["customers"]
    return Target(
        owner=shop.owner,
        customer=clients.pop(),
        rows=rows_of(shop, customer["customer_id"]),
        texts={"address": email, "refresh_token": "x", "uid": "MQ", "token": "x-y"},
        leaving=clients,
    )


def rows_of(shop: Shop, customer: int) -> dict[str, list[int]]:
    vehicles = [shop.new_vehicle(customer) for _ in range(3)]
    tickets = shop.new_tickets(4, vehicles[0])
    mechanics = [shop.new_mechanic() for _ in range(4)]
    parts = shop.new_parts(4, quantity_in_stock=100_000)
    for ticket in tickets:
        path = f"/service-tickets/{ticket}"
        shop.owner.put(f"{path}/edit", {"add_ids": mechanics[:3]}).expect(200)
        shop.owner.post(f"{path}/parts/{parts[0]}", {"quantity_used": 1}).expect(201)
    return {
        "customer": [customer],
        "newcomer": [shop.new_customer()],
        "vehicle": vehicles,
        **dict.fromkeys(("ticket", "closed", "empty"), tickets),
        **dict.fromkeys(("mechanic", "assigned", "linked"), mechanics),
        **dict.fromkeys(("part", "installed"), parts),
    }


def fault_of(answer: Answer) -> str:
    """Tell what is wrong with an answer; an empty text if nothing is."""
    text = answer.body.decode(errors="replace")
    if not 200 <= answer.status < 500 or "Traceback" in text or 'File "' in text:
        return f"{answer.status} {answer.error or text[:500]}"
    if answer.status == 204:
        return text
    if answer.headers["Content-Type"] != "application/json":
        return f"{answer.status} {answer.headers['Content-Type']} {text[:500]}"
    body = answer.json()
    if answer.status < 400 or is_envelope(answer, body):
        return ""
    return f"{answer.status} without the envelope: {text[:500]}"


def is_envelope(answer: Answer, body: dict[str, Any]) -> bool:
    return (
        all(isinstance(body.get(name), str) and body[name] for name in ENVELOPE)
        and body["error"].startswith(f"{answer.status} ")
        and body["request_id"] == answer.headers["X-Request-ID"]
    )


class Storm:
    """Send spoiled bodies from some threads until there are faults to show."""

    def __init__(self, target: Target, seed: int) -> None:
        self.target = target
        self.seed = seed
        self.faults: list[str] = []
        self.statuses: list[int] = []

    def blow(self, number: int) -> None:
        at_once(THREADS, lambda index: self._one(index, number // THREADS))

    def _one(self, index: int, number: int) -> None:
        random = Random(f"{self.seed} {index}")
        for _ in range(number):
            if len(self.faults) >= FAULTS_SHOWN:
                break
            self._send(random)

    def _send(self, random: Random) -> None:
        (rule,) = random.choices(WRITES, WEIGHTS)
        words = self.target.words(random, rule.operation)
        valid = fill(rule.body, words)
        if "current_password" in valid:
            valid["current_password"] = "not-" + PASSWORD  # nobody's changes
        request = mutant(random, rule.method, rule.path.format(**words), valid)
        answer = self._answer(self.target.sender(random, rule), request)
        self.target.learn(rule.operation, answer)

    def _answer(self, client: Client, request: Mutant) -> Answer:
        answer = client.request(*request, retry_stale=True)
        self.statuses.append(answer.status)
        if fault := fault_of(answer):
            self.faults.append(f"seed {self.seed}: {request}\n  {fault}")
        return answer


class TestSpoiledBody:
    @pytest.mark.race
    def test_gets_an_answer_in_the_envelope_5_000_times(self, shop: Shop) -> None:
        storm = Storm(aim_at(shop), SEEDS[shop.on])

        storm.blow(BODIES_EACH)

        assert not storm.faults, "\n".join(storm.faults)
        assert len(storm.statuses) == BODIES_EACH
        assert {200, 201, 204, 400, 401, 403, 404, 409} <= set(storm.statuses)
        shop.assert_invariants()

    @pytest.mark.soak
    def test_gets_an_answer_in_the_envelope_however_many_come(self, shop: Shop) -> None:
        seed = time.time_ns()
        storm = Storm(aim_at(shop), seed)

        storm.blow(20 * BODIES_EACH)

        assert not storm.faults, "\n".join(storm.faults)
        shop.assert_invariants()


class TestRefusedBody:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("POST", "/api/mechanics", 401),
            ("POST", "/api/nowhere", 404),
            ("DELETE", "/api/mechanics/1", 401),
        ],
    )
    def test_leaves_the_connection_open(
        self, shop: Shop, method: str, path: str, status: int
    ) -> None:
        head = head_of(method, path, Content_Length="7") + b"\r\n"

        for _ in range(20):
            with raw_sockets(shop.server.url, 1) as (raw,):
                raw.send(head)
                # On its own, as most libraries send it.
                raw.send(b'{"a":1}')
                assert raw.answer()[0] == status
                raw.send(head_of("GET", "/healthz") + b"\r\n")
                assert raw.answer()[0] == 200


# --- Huge bodies ----------------------------------------------------------------------

MEGABYTE = 2**20
HUGE = 100 * MEGABYTE
MOST_GROWTH = 20 * MEGABYTE
LONGEST_SECONDS = 1.0
PIECE = b"x" * 65_536


def memory_of(shop: Shop) -> list[int]:
    """Return the bytes that each worker had at most."""
    return [_bytes_of(pid, "VmHWM") for pid in shop.server.worker_pids()]


def _bytes_of(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(name)]
    return int(line.split()[1]) * 1024


def with_length(head: bytes) -> Iterator[bytes]:
    yield head + f"Content-Length: {HUGE}\r\n\r\n".encode()
    yield from repeat(PIECE, HUGE // len(PIECE))


def in_chunks(head: bytes) -> Iterator[bytes]:
    yield head + b"Transfer-Encoding: chunked\r\n\r\n"
    frame = f"{len(PIECE):x}\r\n".encode() + PIECE + b"\r\n"
    yield from repeat(frame, HUGE // len(PIECE))


class TestHugeBody:
    @pytest.mark.parametrize("form", [with_length, in_chunks])
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/api/auth/login"),
            ("POST", "/api/inventory"),
            ("PATCH", "/api/customers/1"),
            ("DELETE", "/api/mechanics/1"),
            ("POST", "/api/nowhere"),
        ],
    )
    def test_is_refused_at_once_and_kept_nowhere(
        self, shop: Shop, method: str, path: str, form: Any
    ) -> None:
        head = head_of(method, path, **shop.owner.headers)
        before = memory_of(shop)

        with raw_sockets(shop.server.url, 1) as (raw,):
            sending = raw.send_while_it_listens(form(head))
            status, body, seconds = raw.answer()
        sending.join()

        assert (status, body["code"]) == (413, "content_too_large")
        assert body.keys() == set(ENVELOPE)
        assert seconds < LONGEST_SECONDS
        growth = [now - then for now, then in zip(memory_of(shop), before, strict=True)]
        assert max(growth) < MOST_GROWTH

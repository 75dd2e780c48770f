"""The cached list of mechanics: never stale, never for the wrong eyes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from urllib.parse import urlencode

import jwt
import pytest
import redis

from mechanic_shop.accounts.roles import MANAGER, TECHNICIAN
from mechanics.views import LIST_CACHE_SECONDS

from ..support.server import OWNER, ROOT
from .conftest import GetShop
from .load import Answer, Client, Load, at_once
from .shop import PROCESSES, Row, Shop, paused

WRITES = 1_000
READS_EACH = 8
#: A page is kept twice as long, and no test takes that.
LONG_SECONDS = LIST_CACHE_SECONDS // 2
SALARY, PHONE = 77_777_777, "555-7654321"

PUBLIC_FIELDS = {"mechanic_id", "full_name", "is_active"}
STAFF_FIELDS = PUBLIC_FIELDS | {"email", "phone", "created_at", "updated_at"}
ALL_FIELDS = STAFF_FIELDS | {"salary"}

# --- Who asks -------------------------------------------------------------------------

#: Signs people in past the login form, and prints their tokens.
HIRE = f"""
import json
from mechanic_shop.accounts.services import start_session
from mechanic_shop.accounts.tests.factories import UserFactory, user_in

people = {{
    "manager": user_in({str(MANAGER)!r}, email="manager.own@people.example"),
    "technician": user_in({str(TECHNICIAN)!r}, email="technician.own@people.example"),
    "staff": UserFactory.create(is_staff=True, email="staff.own@people.example"),
    "customer": UserFactory.create(email="customer.own@people.example"),
    "deactivated": UserFactory.create(superuser=True, email="gone.own@people.example"),
    "signed out": UserFactory.create(superuser=True, email="out.own@people.example"),
}}
print(json.dumps({{who: start_session(user=user).access_token
                   for who, user in people.items()}}))
people["deactivated"].is_active = False
people["deactivated"].save()
"""

People = dict[str, Client]
GetPeople = Callable[[Shop], People]
OnEachWorker = Callable[[Client], list[Client]]


def run_in(shop: Shop, code: str) -> str:
    """Run Python beside the server, on its database."""
    return shop.server.manage("shell", "--verbosity", "0", "--command", code)


@pytest.fixture(scope="module")
def get_people() -> GetPeople:
    """Hire somebody of each kind, once for each shop."""

    @cache
    def hire(shop: Shop) -> People:
        tokens = json.loads(run_in(shop, HIRE).splitlines()[-1])
        people = {who: shop.client(token) for who, token in tokens.items()}
        people["signed out"].post("/auth/logout").expect(204)
        return {**people, "owner": shop.owner}

    return hire


def token_of(client: Client) -> str:
    return client.headers["Authorization"].removeprefix("Bearer ")


def expired(client: Client, shop: Shop) -> Client:
    """Give a client whose token was right until a minute ago."""
    claims = jwt.decode(token_of(client), options={"verify_signature": False})
    key = shop.server.environment["JWT_SECRET_KEY"]
    return shop.client(jwt.encode({**claims, "exp": time.time() - 60}, key, "HS256"))


def listed(client: Client) -> list[Row]:
    rows: list[Row] = client.get("/mechanics", retry_stale=True).expect(200)
    return rows


def fields_seen(client: Client) -> set[str]:
    """Name every field of every row; the rows have the same ones."""
    return {name for row in listed(client) for name in row}


# --- A thousand writes ----------------------------------------------------------------


class Watch:
    """Remember what was acknowledged, and look for it in everything read later."""

    def __init__(self) -> None:
        self.written: dict[int, int] = {}
        self.stale: list[str] = []

    def write(self, client: Client, mechanic: int, number: int) -> None:
        body = {
            "full_name": f"Max {number}",
            "phone": str(number),
            "is_active": number % 2 == 0,
        }
        client.patch(f"/mechanics/{mechanic}", body).expect(200)
        self.written[mechanic] = number

    def read(self, client: Client) -> Answer:
        """Read the list; it has to show what was acknowledged, or something later."""
        expected = dict(self.written)
        answer = client.get("/mechanics")
        rows = {row["mechanic_id"]: row for row in answer.expect(200)}
        self.stale += [
            f"{rows[mechanic]} after {number} was acknowledged"
            for mechanic, number in expected.items()
            if version_of(rows[mechanic]) < number
        ]
        return answer


def version_of(row: Row) -> int:
    """Tell which write a row shows; -1 if it shows a mixture."""
    number = int(row["full_name"].split()[-1])
    fits = row["is_active"] == (number % 2 == 0)
    return number if fits and row.get("phone", str(number)) == str(number) else -1


@pytest.fixture
def on_each_worker(shop: Shop) -> Iterator[OnEachWorker]:
    """Make of a client one for each worker, which keeps a connection to it."""
    workers = shop.server.worker_pids()
    clients: list[Client] = []

    def pinned(client: Client, worker: int) -> Client:
        clients.append(client.reconnected())
        with paused(*(pid for pid in workers if pid != worker)):
            clients[-1].get("//healthz").expect(200)
        return clients[-1]

    yield lambda client: [pinned(client, worker) for worker in workers]
    for client in clients:
        client.close()


class TestList:
    @pytest.mark.race
    def test_shows_each_of_1_000_writes_to_whoever_reads_after_it(
        self, shop: Shop, get_people: GetPeople, on_each_worker: OnEachWorker
    ) -> None:
        customer = get_people(shop)["customer"]
        mechanics = [shop.new_mechanic() for _ in range(PROCESSES)]
        lanes = [on_each_worker(shop.owner) for _ in mechanics]
        watch = Watch()

        def write_and_read(lane: int) -> int:
            for number in range(1, WRITES // PROCESSES + 1):
                writer = lanes[lane][number % PROCESSES]
                watch.write(writer, mechanics[lane], number)
                for reader in lanes[lane] * (READS_EACH // PROCESSES):
                    watch.read(reader)
                if watch.stale:
                    break
            return number

        with Load(lambda: watch.read(customer), threads=2, pause_seconds=0.05) as load:
            written = at_once(PROCESSES, write_and_read)

        assert watch.stale[:3] == []
        assert sum(written) == WRITES
        assert len(load.answers) > 100
        shop.assert_invariants()


# --- A warm list ----------------------------------------------------------------------


class TestWarmList:
    def test_is_closed_to_whoever_is_not_signed_in(
        self, shop: Shop, get_people: GetPeople
    ) -> None:
        people = get_people(shop)
        for who in ("owner", "technician", "customer"):
            listed(people[who])

        answers = {
            "anonymous": shop.client(),
            "nonsense": shop.client("x"),
            "expired": expired(people["manager"], shop),
            "signed out": people["signed out"],
            "deactivated": people["deactivated"],
        }

        assert {
            who: [client.get("/mechanics").status for _ in range(PROCESSES)]
            for who, client in answers.items()
        } == dict.fromkeys(answers, [401] * PROCESSES)

    def test_shows_nobody_more_than_they_may_see(
        self, shop: Shop, get_people: GetPeople, on_each_worker: OnEachWorker
    ) -> None:
        people = get_people(shop)
        shop.new_mechanic(salary=SALARY, phone=PHONE)

        seen = []
        for pinned in on_each_worker(people["manager"]):
            listed(pinned)  # the manager's entry is the first, in each process
            seen += [{who: fields_seen(people[who]) for who in SEES}]

        assert seen == [SEES] * PROCESSES


SEES = {
    "owner": ALL_FIELDS,
    "manager": ALL_FIELDS,
    "technician": STAFF_FIELDS,
    "staff": PUBLIC_FIELDS,
    "customer": PUBLIC_FIELDS,
}


# --- What is stored -------------------------------------------------------------------


def stored(shop: Shop) -> dict[bytes, bytes]:
    """Return all that the shop's Redis holds; without one, nothing."""
    url = shop.server.environment["REDIS_URL"]
    if not url:
        return {}
    with redis.Redis.from_url(url) as client:
        pairs = {key: client.get(key) for key in client.scan_iter()}
        return {key: value for key, value in pairs.items() if value is not None}


class Stored:
    """What a Redis holds now, to be compared with what it holds later.

    Pages of earlier tests may end in between; only what has still long to live must
    stay. Differences are named alone: a thousand keys are too many to read.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._lasting = lasting(shop)
        self._keys = set(stored(shop)) | self._lasting

    def assert_unchanged(self) -> None:
        """:raises AssertionError: if a key has come, or one that lasts has gone"""
        now = set(stored(self._shop))
        assert now - self._keys == set()
        assert self._lasting - now == set()


def lasting(shop: Shop) -> set[bytes]:
    """Return the keys of the shop's Redis that outlive any test."""
    url = shop.server.environment["REDIS_URL"]
    if not url:
        return set()
    with redis.Redis.from_url(url) as client:
        return {key for key in client.scan_iter() if client.ttl(key) > LONG_SECONDS}


@pytest.fixture
def redis_shop(get_shop: GetShop) -> Shop:
    """What processes keep for themselves cannot be seen; Redis can be asked."""
    return get_shop("mariadb", "product")


def cookie_of_back_office(shop: Shop) -> str:
    """Sign the owner in as a browser does."""
    client = shop.client()
    page = client.get("//admin/login/", retry_stale=True)
    cookie = str(page.headers["Set-Cookie"]).split(";")[0]
    form = {"username": OWNER["email"], "password": OWNER["password"]}
    token = {"csrfmiddlewaretoken": cookie.partition("=")[2]}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    answer = client.post("//admin/login/", urlencode(form | token), headers=headers)
    answer.expect(302)
    cookies = answer.headers.get_all("Set-Cookie") or []
    return next(each.split(";")[0] for each in cookies if "sessionid" in each)


PATHS = ("/mechanics", "/mechanics/", "/mechanics?page=2", "/mechanics?salary=1&x=%00")
HEADERS = (
    {"Accept": "text/html"},
    {"Accept": "*/*", "Accept-Language": "de", "Accept-Encoding": "gzip"},
    {"Cookie": "sessionid=made-up; a=b"},
    {"Host": "127.0.0.1:1"},
    {"Host": "127.0.0.1", "X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Proto": "https", "Origin": "https://evil.example"},
    {"If-None-Match": '"x"', "Cache-Control": "no-cache", "Range": "bytes=0-1"},
)


def ask_in_every_way(clients: list[Client]) -> None:
    for client in clients:
        answers = [client.get(path) for path in PATHS]
        answers += [
            client.get("/mechanics", headers={**headers, **client.headers})
            for headers in HEADERS
        ]
        assert {answer.status for answer in answers} == {200}


def stored_by(shop: Shop, clients: list[Client]) -> list[bytes]:
    """Return what a new generation of the list leaves behind, after all these."""
    before = stored(shop).keys()
    ask_in_every_way(clients)
    after = stored(shop)
    return [after[key] for key in after.keys() - before]


@pytest.mark.xdist_group("shop on mariadb")
class TestStoredList:
    def test_has_three_keys_a_generation_however_it_is_asked_for(
        self, redis_shop: Shop, get_people: GetPeople
    ) -> None:
        clients = [get_people(redis_shop)[who] for who in SEES]
        mechanic = redis_shop.new_mechanic()

        kept = []
        for number in range(3):
            body = {"phone": str(number)}
            redis_shop.owner.patch(f"/mechanics/{mechanic}", body).expect(200)
            kept.append(len(stored_by(redis_shop, clients)))

        assert kept == [3, 3, 3]

    def test_holds_nothing_of_those_who_asked(
        self, redis_shop: Shop, get_people: GetPeople
    ) -> None:
        people = get_people(redis_shop)
        cookie = cookie_of_back_office(redis_shop)
        browser = redis_shop.client()
        browser.headers["Cookie"] = cookie
        callers = [browser, *(people[who] for who in SEES)]
        personal = {cookie.partition("=")[2], "people.example", "sessionid", "evil"}
        personal |= {OWNER["email"], *(token_of(people[who]) for who in SEES)}
        redis_shop.new_mechanic(salary=SALARY, phone=PHONE)

        values = stored_by(redis_shop, callers)

        assert [
            text for text in personal for each in values if text.encode() in each
        ] == []
        assert how_many_show(str(SALARY), values) == 1
        assert how_many_show(PHONE, values) == 2
        assert how_many_show("full_name", values) == 3


def how_many_show(text: str, values: list[bytes]) -> int:
    return sum(text.encode() in value for value in values)


# --- What never was -------------------------------------------------------------------

#: Writes a mechanic, waits for a line of input, and takes the write back.
TAKE_BACK = """
import sys
from django.db import transaction
from mechanics.models import Mechanic

with transaction.atomic():
    mechanic = Mechanic.objects.get(pk={mechanic})
    mechanic.full_name = "Nobody"
    mechanic.save()
    print("written", flush=True)
    sys.stdin.readline()
    transaction.set_rollback(True)
"""


@contextmanager
def written_but_taken_back(shop: Shop, mechanic: int) -> Iterator[None]:
    """Keep a write of the mechanic open, and roll it back at the end."""
    code = TAKE_BACK.format(mechanic=mechanic)
    command = ("manage.py", "shell", "--verbosity", "0", "--command", code)
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=shop.server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "written\n"
        yield
        writer.communicate("\n")
    assert writer.returncode == 0


class TestWriteThatIsTakenBack:
    def test_is_never_seen_and_leaves_the_stored_list_alone(
        self, shop: Shop, on_each_worker: OnEachWorker
    ) -> None:
        mechanic = shop.new_mechanic()
        everywhere = on_each_worker(shop.owner)
        before, kept = listed(shop.owner), Stored(shop)

        with written_but_taken_back(shop, mechanic):
            during = [listed(client) for client in everywhere]
        after = [listed(client) for client in everywhere]

        assert during == after == [before] * PROCESSES
        kept.assert_unchanged()

    def test_of_a_mechanic_who_cannot_be_deleted_changes_nothing(
        self, shop: Shop
    ) -> None:
        ticket, mechanic = shop.new_ticket(), shop.new_mechanic()
        path = f"/service-tickets/{ticket}/assign-mechanic/{mechanic}"
        shop.owner.put(path, {}).expect(200)
        before, kept = listed(shop.owner), Stored(shop)

        refusals = at_once(
            16, lambda _: shop.owner.delete(f"/mechanics/{mechanic}").code
        )

        assert refusals == ["in_use"] * 16
        assert listed(shop.owner) == before
        kept.assert_unchanged()
        shop.assert_invariants()

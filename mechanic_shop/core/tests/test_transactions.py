"""What the database gives up on is tried again, whole, and in the end told plainly."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.sessions.backends.base import UpdateError
from django.core.mail import EmailMessage
from django.db import (
    DatabaseError,
    IntegrityError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from customers.models import Customer
from customers.tests.factories import CustomerFactory
from inventory.models import Part, StockMovement
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.tests.factories import PASSWORD
from mechanic_shop.api.models import RateCounter
from mechanic_shop.core import transactions
from mechanic_shop.core.transactions import (
    TRIES,
    is_transient,
    run_with_retries,
    unit_of_work,
)
from mechanics.models import Mechanic
from tickets.models import ServiceTicket, TicketPart
from tickets.tests.factories import TicketFactory

BUSY = {
    "deadlock": OperationalError(1213, "Deadlock found when trying to get lock"),
    "lock wait": OperationalError(1205, "Lock wait timeout exceeded"),
    "snapshot": OperationalError(1020, "Record has changed since last read"),
    "file": OperationalError("database is locked"),
    "table": OperationalError("database table is locked: api_ratecounter"),
}
DEADLOCK = BUSY["deadlock"]
AWAY = {
    "gone away": OperationalError(2006, "Server has gone away"),
    "lost": OperationalError(2013, "Lost connection to server during query"),
    "cut off": OperationalError(1047, "WSREP has not yet prepared node for use"),
    "sqlite": OperationalError("disk I/O error"),
}
#: A statement that was ended after its time, in which it may have waited for locks.
TOO_LONG = [
    OperationalError(1969, "Query execution was interrupted (max_statement_time)"),
    OperationalError("interrupted"),
]
ALWAYS = 10**6

each_busy = pytest.mark.parametrize("error", BUSY.values(), ids=BUSY)
each_away = pytest.mark.parametrize("error", AWAY.values(), ids=AWAY)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect the pauses between tries instead of making them."""
    made: list[float] = []
    clock = SimpleNamespace(sleep=made.append, monotonic=time.monotonic)
    monkeypatch.setattr(transactions, "time", clock)
    return made


class Fault:
    """Fail at the statements that hold all the words, so many times."""

    def __init__(self, error: DatabaseError, times: int, *words: str) -> None:
        self.error, self.left, self.words = error, times, words
        self.seen = 0

    def __call__(
        self, execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if all(word in sql for word in self.words):
            self.strike()
        return execute(sql, params, many, context)

    def strike(self) -> None:
        self.seen += 1
        if self.left:
            self.left -= 1
            raise self.error


@contextmanager
def failing(error: OperationalError, times: int, *words: str) -> Iterator[Fault]:
    fault = Fault(error, times, *words)
    with connection.execute_wrapper(fault):
        yield fault


@contextmanager
def failing_commits(error: DatabaseError, times: int) -> Iterator[Fault]:
    """Let the database do all the work and then refuse to keep it."""
    fault = Fault(error, times)
    database = type(connections["default"])
    commit = database.commit

    def commit_or_fail(self: Any) -> None:
        fault.strike()
        commit(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "commit", commit_or_fail)
        yield fault


LINE = ("INSERT INTO", "tickets_ticketpart")


def install(client: APIClient, part: Part, ticket: ServiceTicket, **extra: Any) -> Any:
    path = f"/api/service-tickets/{ticket.pk}/parts/{part.pk}"
    return client.post(path, {"quantity_used": 2}, **extra)


def booked(part: Part) -> tuple[int, int, int]:
    """Return the part's lines, its movements for tickets, and what is on the shelf."""
    part.refresh_from_db()
    moved = StockMovement.objects.filter(part=part).exclude(ticket=None)
    lines = TicketPart.objects.filter(part=part)
    return lines.count(), moved.count(), part.quantity_in_stock


NOTHING, ONCE = (0, 0, 10), (1, 1, 8)


def assert_503(answer: Any, code: str) -> None:
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/json"
    assert int(answer["Retry-After"]) > 0
    body = answer.json()
    assert set(body) == {"error", "message", "code", "request_id"}
    assert (body["error"], body["code"]) == ("503 Service Unavailable", code)


class TestIsTransient:
    @each_busy
    def test_is_true_of_what_passes(self, error: OperationalError) -> None:
        assert is_transient(error)

    @pytest.mark.parametrize(
        "error",
        [
            *AWAY.values(),
            OperationalError(),
            OperationalError("no such table: locks"),
            OperationalError("1213"),
            ValueError("database is locked"),
            None,
        ],
    )
    def test_is_false_of_all_else(self, error: BaseException | None) -> None:
        assert not is_transient(error)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("pauses")
class TestRetriedWrite:
    @each_busy
    @pytest.mark.parametrize("words", [LINE, ("UPDATE", "inventory_part", "SET")])
    def test_has_one_effect_after_two_failures(
        self, shop: APIClient, error: OperationalError, words: tuple[str, ...]
    ) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()

        with failing(error, 2, *words) as fault:
            answer = install(shop, part, ticket)

        assert answer.status_code == 201
        assert answer.json()["remaining_stock"] == 8
        assert fault.seen == 3
        assert booked(part) == ONCE
        assert ticket.events.filter(kind="part_installed").count() == 1

    @each_busy
    def test_gives_up_in_the_end_and_leaves_nothing(
        self, shop: APIClient, error: OperationalError
    ) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()

        with failing(error, ALWAYS, *LINE) as fault:
            answer = install(shop, part, ticket)

        assert_503(answer, "database_busy")
        assert fault.seen == TRIES
        assert booked(part) == NOTHING
        assert not ticket.events.exists()

    @each_away
    def test_does_not_wait_for_a_database_that_is_away(
        self, shop: APIClient, error: OperationalError, pauses: list[float]
    ) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()

        with failing(error, ALWAYS, *LINE) as fault:
            answer = install(shop, part, ticket)

        assert_503(answer, "database_unavailable")
        assert (fault.seen, pauses) == (1, [])
        assert booked(part) == NOTHING

    def test_survives_a_failing_commit(self, shop: APIClient) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()

        with failing_commits(DEADLOCK, 2) as fault:
            answer = install(shop, part, ticket)

        assert answer.status_code == 201
        assert fault.seen == 3
        assert booked(part) == ONCE

    def test_leaves_nothing_when_no_commit_works(self, shop: APIClient) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()

        with failing_commits(DEADLOCK, ALWAYS) as fault:
            answer = install(shop, part, ticket)

        assert_503(answer, "database_busy")
        assert fault.seen == TRIES
        assert booked(part) == NOTHING

    def test_is_not_repeated_when_nobody_knows_whether_it_was_committed(
        self, shop: APIClient
    ) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()

        with failing_commits(AWAY["lost"], ALWAYS) as fault:
            answer = install(shop, part, ticket)

        assert_503(answer, "database_unavailable")
        assert fault.seen == 1

    @pytest.mark.parametrize("times", [2, TRIES - 1])
    def test_has_one_effect_and_one_answer_for_its_key(
        self, shop: APIClient, times: int
    ) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()
        key = {"HTTP_IDEMPOTENCY_KEY": "k"}

        with failing(DEADLOCK, times, *LINE):
            first = install(shop, part, ticket, **key)
        again = install(shop, part, ticket, **key)

        assert (first.status_code, again.status_code) == (201, 201)
        assert "Idempotency-Replayed" not in first
        assert again["Idempotency-Replayed"] == "true"
        assert again.content == first.content
        assert booked(part) == ONCE

    @pytest.mark.parametrize("words", [LINE, ("UPDATE", "SET", "api_idempotencykey")])
    def test_leaves_its_key_free_when_it_gives_up(
        self, shop: APIClient, words: tuple[str, ...]
    ) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()
        key = {"HTTP_IDEMPOTENCY_KEY": "k"}

        with failing(DEADLOCK, ALWAYS, *words):
            failed = install(shop, part, ticket, **key)
        assert booked(part) == NOTHING
        again = install(shop, part, ticket, **key)

        assert_503(failed, "database_busy")
        assert again.status_code == 201
        assert "Idempotency-Replayed" not in again
        assert booked(part) == ONCE

    def test_prepares_its_key_in_spite_of_failures(self, shop: APIClient) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()

        with failing(DEADLOCK, 2, "INSERT INTO", "api_idempotencykey"):
            answer = install(shop, part, ticket, HTTP_IDEMPOTENCY_KEY="k")

        assert answer.status_code == 201

    @pytest.mark.skipif("connection.vendor != 'mysql'")
    @pytest.mark.parametrize("name", ["deadlock", "snapshot"])
    def test_locks_its_key_in_spite_of_failures(
        self, shop: APIClient, name: str
    ) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()

        with failing(BUSY[name], 2, "FOR UPDATE", "api_idempotencykey"):
            answer = install(shop, part, ticket, HTTP_IDEMPOTENCY_KEY="k")

        assert answer.status_code == 201
        assert booked(part) == ONCE

    @pytest.mark.skipif("connection.vendor != 'mysql'")
    def test_takes_a_key_that_stays_locked_for_one_in_progress(
        self, shop: APIClient
    ) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()
        lock = ("FOR UPDATE", "api_idempotencykey")

        with failing(BUSY["lock wait"], 1, *lock):
            answer = install(shop, part, ticket, HTTP_IDEMPOTENCY_KEY="k")

        assert (answer.status_code, answer.json()["code"]) == (409, "in_progress")
        assert booked(part) == NOTHING

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_may_use_any_method(self, shop: APIClient, method: str) -> None:
        part = PartFactory.create()
        verb = "DELETE" if method == "delete" else "UPDATE"
        body = None if method == "delete" else {"name": "Renamed"}

        with failing(DEADLOCK, 2, verb, "inventory_part") as fault:
            answer = getattr(shop, method)(f"/api/inventory/{part.pk}", body)

        assert answer.status_code in {200, 204}
        assert fault.seen >= 3
        assert not Part.objects.filter(pk=part.pk).exclude(name="Renamed").exists()

    def test_is_counted_once_by_its_limit(
        self, shop: APIClient, settings: LazySettings
    ) -> None:
        rules = dict.fromkeys(settings.THROTTLES)
        settings.THROTTLES = {**rules, "CREATE_PART": (5, 10**9)}

        with (
            failing(DEADLOCK, 2, "INSERT INTO", "api_ratecounter") as counter,
            failing(DEADLOCK, 2, "INSERT INTO", "inventory_stockmovement") as movement,
        ):
            body = {"name": "Filter", "price": 1, "quantity_in_stock": 4}
            answer = shop.post("/api/inventory", body)

        assert answer.status_code == 201
        assert (counter.seen, movement.seen) == (3, 3)
        assert RateCounter.objects.get().count == 1
        assert answer["RateLimit-Remaining"] == "4"
        assert Part.objects.get().movements.count() == 1

    def test_is_not_begun_when_its_limit_cannot_be_counted(
        self, shop: APIClient, settings: LazySettings
    ) -> None:
        rules = dict.fromkeys(settings.THROTTLES)
        settings.THROTTLES = {**rules, "CREATE_PART": (5, 10**9)}

        with failing(DEADLOCK, ALWAYS, "INSERT INTO", "api_ratecounter") as counter:
            answer = shop.post("/api/inventory", {"name": "Filter", "price": 1})

        assert_503(answer, "database_busy")
        assert counter.seen == TRIES
        assert not Part.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestPauses:
    def fail(self) -> None:
        with pytest.raises(OperationalError, match="Deadlock"):
            run_with_retries(self.deadlock)

    @staticmethod
    def deadlock() -> None:
        raise DEADLOCK

    def test_are_made_between_tries_only(self, pauses: list[float]) -> None:
        self.fail()

        assert len(pauses) == TRIES - 1
        assert all(pause >= 0 for pause in pauses)

    def test_may_grow_with_each_try(
        self, pauses: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transactions, "uniform", max)

        self.fail()

        assert pauses == sorted(set(pauses))
        assert pauses[-1] >= 4 * pauses[0]
        assert sum(pauses) < transactions.PATIENCE_SECONDS

    def test_differ_between_those_who_collided(self, pauses: list[float]) -> None:
        for _ in range(5):
            self.fail()

        assert len(set(pauses)) == 5 * (TRIES - 1)

    def test_end_when_the_caller_has_waited_long_enough(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tries: list[int] = []
        now = iter([0, 3, 7, 11])
        clock = SimpleNamespace(sleep=tries.append, monotonic=lambda: next(now))
        monkeypatch.setattr(transactions, "time", clock)

        self.fail()

        assert len(tries) == 1


@pytest.mark.django_db(transaction=True)
class TestRetry:
    def test_does_nothing_within_a_transaction(self, pauses: list[float]) -> None:
        tries: list[int] = []

        def work() -> None:
            tries.append(1)
            raise DEADLOCK

        with pytest.raises(OperationalError), transaction.atomic():
            run_with_retries(work)

        assert (len(tries), pauses) == (1, [])

    def test_leaves_other_errors_alone(self, pauses: list[float]) -> None:
        def work() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            run_with_retries(work)

        assert pauses == []

    @pytest.mark.skipif("connection.vendor != 'sqlite'")
    def test_outlasts_a_real_lock_on_the_file(
        self, shop: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        part, ticket = PartFactory.create(), TicketFactory.create()
        rival = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        pauses: list[float] = []

        def let_go(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 2:
                rival.rollback()

        clock = SimpleNamespace(sleep=let_go, monotonic=time.monotonic)
        monkeypatch.setattr(transactions, "time", clock)

        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout=1")
        rival.execute("BEGIN IMMEDIATE")
        try:
            answer = install(shop, part, ticket)
        finally:
            rival.close()
            connection.close()

        assert (answer.status_code, len(pauses)) == (201, 2)
        assert booked(part) == ONCE

    @pytest.mark.skipif("connection.vendor != 'mysql'")
    def test_outlasts_a_real_deadlock(self) -> None:
        parts = PartFactory.create_batch(2)
        met = Barrier(2, timeout=30)
        tries: list[int] = []

        def take(order: list[Part]) -> None:
            tries.append(1)
            with transaction.atomic():
                for part in order:
                    with transaction.atomic():  # a deadlock loses savepoints too
                        row = Part.objects.select_for_update().get(pk=part.pk)
                        row.name += "+"
                        row.save()
                    if len(tries) <= 2 and part == order[0]:
                        met.wait()

        def one(order: list[Part]) -> None:
            try:
                run_with_retries(lambda: take(order))
            finally:
                connections.close_all()

        names = [part.name for part in parts]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(one, [parts, parts[::-1]]))

        assert len(tries) == 3
        for part, name in zip(parts, names, strict=True):
            part.refresh_from_db()
            assert part.name == f"{name}++"


class Refused(Exception):
    pass


@unit_of_work
def move(customer: Customer, city: str, *, fails: bool = False) -> None:
    Customer.objects.filter(pk=customer.pk).update(city=city)
    if fails:
        raise Refused


@unit_of_work
def move_both(first: Customer, second: Customer, *, fails: bool = False) -> None:
    move(first, "one")
    move(second, "two", fails=fails)


def cities_of(*customers: Customer) -> list[str]:
    for customer in customers:
        customer.refresh_from_db()
    return [customer.city for customer in customers]


@pytest.mark.django_db
class TestUnitOfWork:
    @pytest.fixture
    def pair(self) -> tuple[Customer, Customer]:
        first, second = CustomerFactory.create_batch(2, city="before")
        return first, second

    def test_needs_one_savepoint_for_all_that_belongs_to_it(
        self, pair: tuple[Customer, Customer]
    ) -> None:
        with CaptureQueriesContext(connection) as sent:
            move_both(*pair)

        verbs = [query["sql"].split()[0] for query in sent]
        assert verbs == ["SAVEPOINT", "UPDATE", "UPDATE", "RELEASE"]

    def test_is_undone_whole_for_who_catches_what_it_raises(
        self, pair: tuple[Customer, Customer]
    ) -> None:
        with transaction.atomic(), suppress(Refused):
            move_both(*pair, fails=True)

        assert cities_of(*pair) == ["before", "before"]

    @pytest.mark.django_db(transaction=True)
    def test_is_a_transaction_where_there_is_none(
        self, pair: tuple[Customer, Customer]
    ) -> None:
        with suppress(Refused):
            move_both(*pair, fails=True)

        assert cities_of(*pair) == ["before", "before"]
        assert not connection.in_atomic_block

    def test_goes_on_after_an_atomic_block_around_a_part_that_failed(
        self, pair: tuple[Customer, Customer]
    ) -> None:
        @unit_of_work
        def careful() -> None:
            with suppress(Refused), transaction.atomic():
                move(pair[0], "half", fails=True)
            move(pair[1], "done")

        careful()

        assert cities_of(*pair) == ["before", "done"]

    def test_goes_on_in_no_unit_of_which_a_part_failed(
        self, pair: tuple[Customer, Customer]
    ) -> None:
        @unit_of_work
        def careless() -> None:
            with suppress(Refused):
                move(pair[0], "half", fails=True)
            move(pair[1], "done")

        with pytest.raises(transaction.TransactionManagementError):
            careless()

        assert cities_of(*pair) == ["before", "before"]


MECHANIC = {
    "full_name": "Max",
    "email": "max@shop.example",
    "phone": "1",
    "salary": "1",
    "is_active": "on",
}
#: How a dialog knows its form from the click that opened it.
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def desk(owner: User) -> Client:
    """A browser in the back office that gets error pages, as browsers do."""
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    return client


def said(page: Any) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def hire(desk: Client) -> Any:
    return desk.post(reverse("admin:mechanics_mechanic_add"), MECHANIC)


def next_page(desk: Client) -> Any:
    return desk.get(reverse("admin:mechanics_mechanic_changelist"))


def assert_sorry(page: Any) -> None:
    assert page.status_code == 503
    assert page["Content-Type"].startswith("text/html")
    assert int(page["Retry-After"]) > 0
    assert "Back in a moment" in page.content.decode()
    assert "Try again soon." in page.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("pauses")
class TestBackOffice:
    SAVE = ("INSERT INTO", "mechanics_mechanic", "salary")
    LOG = ("INSERT INTO", "django_admin_log")

    @each_busy
    @pytest.mark.parametrize("words", [SAVE, LOG])
    def test_saves_once_and_says_so_once(
        self, desk: Client, error: OperationalError, words: tuple[str, ...]
    ) -> None:
        with failing(error, 2, *words) as fault:
            saved = hire(desk)

        assert (saved.status_code, fault.seen) == (302, 3)
        assert Mechanic.objects.count() == 1
        assert len(said(next_page(desk))) == 1

    def test_says_it_once_when_the_commits_failed(self, desk: Client) -> None:
        with failing_commits(DEADLOCK, 2) as fault:
            saved = hire(desk)

        assert (saved.status_code, fault.seen) == (302, 3)
        assert Mechanic.objects.count() == 1
        assert len(said(next_page(desk))) == 1

    @pytest.mark.parametrize(
        ("error", "tries"),
        [(DEADLOCK, TRIES), *((error, 1) for error in TOO_LONG)],
    )
    def test_shows_what_was_typed_in_the_end(
        self, desk: Client, error: OperationalError, tries: int
    ) -> None:
        with failing(error, ALWAYS, *self.LOG) as fault:
            page = hire(desk)

        assert page.status_code == 503
        assert "Nothing was saved; save it again." in page.content.decode()
        assert f'value="{MECHANIC["full_name"]}"' in page.content.decode()
        assert fault.seen == tries
        assert not Mechanic.objects.exists()
        assert said(next_page(desk)) == []

    def test_shows_the_sorry_page_if_even_that_fails(self, desk: Client) -> None:
        with failing_commits(DEADLOCK, ALWAYS):
            page = hire(desk)

        assert_sorry(page)
        assert not Mechanic.objects.exists()
        assert said(next_page(desk)) == []

    def test_says_only_no_when_the_commit_was_refused(self, desk: Client) -> None:
        with failing_commits(IntegrityError("FOREIGN KEY constraint failed"), 1):
            page = hire(desk)

        assert "Somebody changed this just now. Try again." in page.content.decode()
        assert not Mechanic.objects.exists()
        assert said(next_page(desk)) == []

    def test_does_not_wait_for_a_database_that_is_away(
        self, desk: Client, pauses: list[float]
    ) -> None:
        with failing(AWAY["gone away"], ALWAYS, *self.SAVE) as fault:
            page = hire(desk)

        assert_sorry(page)
        assert (fault.seen, pauses) == (1, [])

    def adjust(self, desk: Client, part: Part) -> Any:
        path = reverse("admin:inventory_part_adjust_stock", args=[part.pk])
        body = {"adjustment": "5", "reason": "adjust", **SUBMITTED}
        return desk.post(path, body)

    def test_runs_a_verb_once(self, desk: Client) -> None:
        part = PartFactory.create()

        with failing(DEADLOCK, 2, *self.LOG) as fault:
            answer = self.adjust(desk, part)

        assert (answer.status_code, fault.seen) == (302, 3)
        part.refresh_from_db()
        assert (part.quantity_in_stock, part.movements.count()) == (15, 2)
        assert said(next_page(desk)) == ["15 in stock."]

    def test_shows_the_sorry_page_when_a_verb_gives_up(self, desk: Client) -> None:
        part = PartFactory.create()

        with failing_commits(DEADLOCK, ALWAYS):
            page = self.adjust(desk, part)

        assert_sorry(page)
        part.refresh_from_db()
        assert (part.quantity_in_stock, part.movements.count()) == (10, 1)
        assert said(next_page(desk)) == []

    def test_gives_an_invited_customer_the_login(
        self, desk: Client, sent_mails: Callable[[], list[EmailMessage]]
    ) -> None:
        customer = CustomerFactory.create(walk_in=True)
        path = reverse("admin:customers_customer_invite", args=[customer.pk])

        with failing_commits(DEADLOCK, 2):
            answer = desk.post(path, SUBMITTED)

        customer.refresh_from_db()
        assert answer.status_code == 302
        assert customer.user is not None
        assert customer.user.email == customer.email
        assert len(sent_mails()) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("pauses")
class TestCookieSession:
    WRITES = ("UPDATE", "django_session")

    def test_is_written_in_spite_of_deadlocks(self, desk: Client) -> None:
        session = desk.session
        session["seen"] = "the shelf"

        with failing(DEADLOCK, 2, *self.WRITES) as fault:
            session.save()

        assert fault.seen == 3
        assert desk.session["seen"] == "the shelf"

    @pytest.mark.parametrize("error", [DEADLOCK, AWAY["gone away"]])
    def test_is_not_taken_for_ended_while_the_database_is_busy(
        self, desk: Client, error: OperationalError
    ) -> None:
        session = desk.session

        with failing(error, ALWAYS, *self.WRITES), pytest.raises(type(error)) as told:
            session.save()

        assert told.value is error

    def test_that_was_ended_is_not_written(self, desk: Client) -> None:
        session = desk.session
        session.delete()

        with pytest.raises(UpdateError):
            session.save()


@pytest.mark.django_db(transaction=True)
class TestWithoutDatabase:
    @pytest.mark.parametrize("error", [DEADLOCK, AWAY["gone away"]])
    def test_shows_a_page_before_anyone_is_known(
        self, desk: Client, error: OperationalError
    ) -> None:
        with failing(error, ALWAYS, "django_session"):
            page = desk.get("/admin/")

        assert_sorry(page)

    def test_shows_it_on_the_start_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*args: Any, **kwargs: Any) -> None:
            raise AWAY["gone away"]

        monkeypatch.setattr("mechanic_shop.pages.render", away)

        assert_sorry(Client(raise_request_exception=False).get("/"))

    def test_shows_it_to_somebody_who_is_signed_in(self, desk: Client) -> None:
        path = reverse("admin:inventory_part_changelist")

        with failing(AWAY["lost"], ALWAYS, "inventory_part"):
            assert_sorry(desk.get(path))

    def test_answers_the_envelope_below_the_api(self, settings: LazySettings) -> None:
        rules = dict.fromkeys(settings.THROTTLES)
        settings.THROTTLES = {**rules, "LOGIN": (5, 10**9)}
        client = Client(raise_request_exception=False)

        with failing(AWAY["gone away"], ALWAYS, "api_ratecounter"):
            answer = client.post("/api/login/", {"username": "x", "password": "y"})

        assert_503(answer, "database_unavailable")

    def test_is_not_blamed_for_other_errors(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: Any, **kwargs: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("mechanic_shop.pages.render", broken)

        answer = Client(raise_request_exception=False).get("/")

        assert answer.status_code == 500
        assert "Retry-After" not in answer


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("pauses")
class TestSigningIn:
    PERSON = {
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann@example.com",
        "phone": "1",
        "password": "correct-horse-battery",
    }

    def test_to_the_back_office_survives_two_deadlocks(self, owner: User) -> None:
        form = {"username": owner.email, "password": PASSWORD}
        client = Client(raise_request_exception=False)

        with failing(DEADLOCK, 2, "UPDATE", "last_login") as fault:
            answer = client.post("/admin/login/?next=/admin/", form)

        assert (answer.status_code, fault.seen) == (302, 3)
        assert client.get("/admin/").status_code == 200

    @pytest.mark.parametrize(
        "table", ["accounts_user", "customers_customer", "accounts_session"]
    )
    def test_up_survives_two_deadlocks(self, anonymous: APIClient, table: str) -> None:
        with failing(DEADLOCK, 2, "INSERT INTO", table) as fault:
            answer = anonymous.post("/api/auth/register", self.PERSON)

        assert (answer.status_code, fault.seen) == (201, 3)
        assert User.objects.count() == 1

    def test_with_a_new_password_survives_two_deadlocks(self, shop: APIClient) -> None:
        body = {"current_password": PASSWORD, "new_password": self.PERSON["password"]}

        with failing(DEADLOCK, 2, "UPDATE", "accounts_user"):
            answer = shop.post("/api/auth/password", body)

        assert answer.status_code == 204

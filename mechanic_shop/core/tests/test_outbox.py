"""The queue: what is asked for in a transaction is done afterwards, at least once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mechanic_shop.core import outbox
from mechanic_shop.core.models import QueuedTask, new_key
from mechanic_shop.core.outbox import LEASE, LONG, MAX_ATTEMPTS, PAUSES, SHORT
from mechanic_shop.core.registry import TaskKind

pytestmark = pytest.mark.django_db

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
State = QueuedTask.State


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


class Desk:
    """Does tasks of the kind "note", as ``action`` says, and remembers them."""

    def __init__(self) -> None:
        self.done: list[QueuedTask] = []
        self.action: Callable[[QueuedTask], None] = self.done.append

    def run(self, task: QueuedTask) -> None:
        self.action(task)

    def refuse(self, error: Exception) -> None:
        def fail(task: QueuedTask) -> None:
            raise error

        self.action = fail


@pytest.fixture(autouse=True)
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    kinds = [
        TaskKind("note", "Note", SHORT, desk.run),
        TaskKind("import", "Import", LONG, desk.run),
    ]
    monkeypatch.setattr(outbox, "task_kinds", kinds)
    return desk


def new_task(text: str = "", **fields: object) -> QueuedTask:
    task = outbox.enqueue(kind="note", payload={"text": text})
    QueuedTask.objects.filter(pk=task.pk).update(**fields)
    task.refresh_from_db()
    return task


def take() -> QueuedTask:
    task = outbox.take(SHORT)
    assert task is not None
    return task


def state_of(task: QueuedTask) -> tuple[str, int, str]:
    task.refresh_from_db()
    return task.state, task.attempts, task.remark


class TestEnqueue:
    def test_does_nothing_for_what_was_rolled_back(self, desk: Desk) -> None:
        with transaction.atomic():
            outbox.enqueue(kind="note", payload={})
            transaction.set_rollback(True)

        assert not outbox.run_next(SHORT)
        assert desk.done == []

    def test_refuses_a_kind_that_no_app_has(self) -> None:
        with pytest.raises(LookupError, match="'nothing'"):
            outbox.enqueue(kind="nothing", payload={})

    def test_leaves_a_task_for_later(
        self, desk: Desk, clock: time_machine.Traveller
    ) -> None:
        outbox.enqueue(kind="note", payload={}, run_at=timezone.now() + SECOND)

        assert not outbox.run_next(SHORT)
        clock.shift(SECOND)
        assert outbox.run_next(SHORT)


class TestWorker:
    def test_does_the_oldest_first(self, desk: Desk) -> None:
        for text in "abc":
            new_task(text)

        while outbox.run_next(SHORT):
            pass

        assert [task.payload["text"] for task in desk.done] == ["a", "b", "c"]
        assert set(QueuedTask.objects.values_list("state", "lease")) == {("done", "")}

    def test_keeps_long_tasks_apart_from_mail(self, desk: Desk) -> None:
        outbox.enqueue(kind="import", payload={})

        assert not outbox.run_next(SHORT)
        assert outbox.run_next(LONG)

    def test_asks_one_cheap_question_when_idle(self) -> None:
        for _ in range(20):
            new_task(state=State.DONE)

        with CaptureQueriesContext(connection) as queries:
            assert not outbox.run_next(SHORT)

        (query,) = queries
        with connection.cursor() as cursor:
            plan = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
            cursor.execute(f"{plan} {query['sql']}")
            assert "queued_task_due" in str(cursor.fetchall())


class TestLease:
    def test_keeps_others_away_until_it_ends(
        self, clock: time_machine.Traveller
    ) -> None:
        new_task()
        first = take()

        clock.shift(LEASE - SECOND)
        assert outbox.take(SHORT) is None
        clock.shift(SECOND)
        second = take()

        assert (first.pk, second.attempts) == (second.pk, 2)
        assert first.key == second.key
        assert first.lease != second.lease

    def test_that_is_lost_writes_nothing(self, clock: time_machine.Traveller) -> None:
        new_task()
        first = take()
        clock.shift(LEASE)
        second = take()

        outbox.perform(first)

        assert state_of(second) == (State.WAITING, 2, "")
        outbox.perform(second)
        assert state_of(second) == (State.DONE, 2, "")

    def test_is_prolonged_by_a_report(self, clock: time_machine.Traveller) -> None:
        new_task()
        task = take()

        clock.shift(LEASE - SECOND)
        outbox.report(task, progress=500, total=2_000)
        clock.shift(LEASE - SECOND)

        assert outbox.take(SHORT) is None
        task.refresh_from_db()
        assert (task.progress, task.total) == (500, 2_000)

    def test_that_is_lost_ends_a_long_task(
        self, desk: Desk, clock: time_machine.Traveller
    ) -> None:
        new_task()
        task = take()
        clock.shift(LEASE)
        take()

        with pytest.raises(outbox.LeaseLost):
            outbox.report(task, progress=1, total=2)

        desk.action = lambda task: outbox.report(task, progress=1, total=2)
        outbox.perform(task)
        assert state_of(task) == (State.WAITING, 2, "")


class TestAttempts:
    def test_are_made_after_growing_pauses(
        self, desk: Desk, clock: time_machine.Traveller
    ) -> None:
        task = new_task()
        desk.refuse(ConnectionRefusedError("nobody listens"))

        for number, pause in enumerate(PAUSES, start=1):
            assert outbox.run_next(SHORT)
            remark = "ConnectionRefusedError: nobody listens"
            assert state_of(task) == (State.WAITING, number, remark)
            clock.shift(pause * SECOND - SECOND)
            assert not outbox.run_next(SHORT)
            clock.shift(SECOND)
        assert outbox.run_next(SHORT)

        assert state_of(task) == (State.FAILED, MAX_ATTEMPTS, remark)
        clock.shift(timedelta(days=1))
        assert not outbox.run_next(SHORT)
        assert list(PAUSES) == sorted(PAUSES)

    def test_end_at_once_when_no_other_can_succeed(self, desk: Desk) -> None:
        task = new_task()
        desk.refuse(outbox.TaskFailed("There is no such mailbox."))

        outbox.run_next(SHORT)

        assert state_of(task) == (State.FAILED, 1, "There is no such mailbox.")

    def test_end_when_there_is_nothing_to_do(self, desk: Desk) -> None:
        task = new_task()
        desk.refuse(outbox.TaskDropped("Nobody has this address."))

        outbox.run_next(SHORT)

        assert state_of(task) == (State.NOT_NEEDED, 1, "Nobody has this address.")

    def test_that_each_kill_the_worker_end(self, desk: Desk) -> None:
        task = new_task(attempts=MAX_ATTEMPTS, lease=new_key())

        outbox.run_next(SHORT)

        assert state_of(task)[0] == State.FAILED
        assert desk.done == []

    def test_wait_for_a_worker_that_knows_the_kind(self) -> None:
        task = new_task(kind="of the next release")

        outbox.run_next(SHORT)

        assert state_of(task)[:2] == (State.WAITING, 1)

    def test_do_not_count_when_the_worker_is_told_to_end(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = new_task(progress=500)
        desk.action = lambda task: outbox.report(task, progress=1_000, total=2_000)
        outbox.stopping.set()
        try:
            outbox.run_next(SHORT)
        finally:
            outbox.stopping.clear()

        assert state_of(task) == (State.WAITING, 0, "")
        assert (task.progress, task.lease) == (500, "")
        assert task.due_at <= timezone.now()

    def test_leave_no_token_behind_that_a_server_quotes(self, desk: Desk) -> None:
        task = new_task()
        token = f"abc123-{'0' * 32}"
        desk.refuse(outbox.TaskFailed(f"554 spam: /account/password/NQ/{token}/"))

        outbox.run_next(SHORT)

        assert state_of(task)[2] == "554 spam: /account/password/NQ/[token]/"

    def test_outlive_a_database_that_is_away_for_a_moment(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = new_task()
        write, faults = outbox._write, iter([OperationalError(2006, "gone away")])

        def write_after_a_while(taken: QueuedTask, **changes: object) -> int:
            for fault in faults:
                raise fault
            return write(taken, **changes)

        monkeypatch.setattr(outbox, "_write", write_after_a_while)
        monkeypatch.setattr("time.sleep", lambda _: None)
        monkeypatch.setattr(outbox, "close_old_connections", lambda: None)

        outbox.run_next(SHORT)

        assert (len(desk.done), state_of(task)) == (1, (State.DONE, 1, ""))


class TestRetryFailed:
    def test_begins_anew(self, desk: Desk) -> None:
        task = new_task(state=State.FAILED, attempts=8, remark="nobody listens")

        outbox.retry_failed(task=task)

        assert state_of(task) == (State.WAITING, 0, "")
        assert outbox.run_next(SHORT)
        assert state_of(task) == (State.DONE, 1, "")

    @pytest.mark.parametrize("state", [State.WAITING, State.DONE, State.NOT_NEEDED])
    def test_refuses_what_has_not_failed(self, state: str) -> None:
        task = new_task(state=state)

        with pytest.raises(outbox.TaskNotFailed):
            outbox.retry_failed(task=task)

        assert state_of(task)[0] == state


class TestEraseRecipients:
    def test_blanks_what_is_personal_and_does_no_more(self, desk: Desk) -> None:
        ada, others = {"recipient": "ada@example.com"}, {"recipient": "bo@example.com"}
        sent = new_task("Ada", state=State.DONE, subject="Ada", remark="Ada", **ada)
        waiting, kept = new_task("Ada", **ada), new_task("Bo", **others)

        outbox.erase_recipients("ada@example.com", "ada@elsewhere.example")

        assert state_of(sent) == (State.DONE, 0, "")
        assert state_of(waiting) == (State.NOT_NEEDED, 0, "")
        rows = QueuedTask.objects.filter(pk__in=[sent.pk, waiting.pk])
        fields = ("payload", "recipient", "subject")
        assert list(rows.values_list(*fields)) == [({}, "", "")] * 2
        assert outbox.run_next(SHORT)
        assert desk.done == [kept]

    def test_leaves_nothing_to_be_sent_again(self) -> None:
        failed = new_task("Ada", state=State.FAILED, recipient="ada@example.com")

        outbox.erase_recipients("ada@example.com")

        assert state_of(failed)[0] == State.NOT_NEEDED
        with pytest.raises(outbox.TaskNotFailed):
            outbox.retry_failed(task=failed)

    def test_reaches_what_is_being_sent(self, desk: Desk) -> None:
        new_task(recipient="ada@example.com")
        task = take()

        outbox.erase_recipients("ada@example.com")
        outbox.perform(task)

        task.refresh_from_db()
        assert (task.recipient, task.state) == ("", State.NOT_NEEDED)


WORKERS, TASKS = 8, 40


def take_by_looking_first(barrier: Barrier) -> Callable[[], QueuedTask | None]:
    """Look, then take: what the conditional UPDATE is there to prevent."""

    def take() -> QueuedTask | None:
        task = QueuedTask.objects.due(SHORT, timezone.now()).first()
        barrier.wait()
        if task is not None:
            due_at = timezone.now() + LEASE
            QueuedTask.objects.filter(pk=task.pk).update(lease="x", due_at=due_at)
        return task

    return take


def race(take: Callable[[], QueuedTask | None]) -> Counter[int]:
    """Let workers take tasks at the same time; count how often each was taken."""
    for _ in range(TASKS):
        new_task()
    start = Barrier(WORKERS)

    def work(number: int) -> list[int]:
        start.wait()
        try:
            return [task.pk for _ in range(TASKS) if (task := take())]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        return Counter(pk for taken in pool.map(work, range(WORKERS)) for pk in taken)


@pytest.mark.django_db(transaction=True)
class TestManyWorkers:
    def test_take_each_task_once(self) -> None:
        taken = race(lambda: outbox.take(SHORT))

        assert len(taken) == TASKS
        assert set(taken.values()) == {1}

    def test_would_take_one_twice_by_looking_first(self) -> None:
        taken = race(take_by_looking_first(Barrier(WORKERS)))

        assert max(taken.values()) > 1

"""The queue: what is asked for in a transaction and done by a worker afterwards.

``enqueue`` writes a row in the caller's transaction, so that nothing is done for what
was rolled back, and nothing that was committed is lost. A worker takes a row by one
conditional UPDATE, which gives it a lease; a worker that dies loses the lease when it
ends, and another takes the row. So each task is done **at least** once
(``docs/adr/0027``), and a handler that runs twice must do no harm.

An app registers its kinds of task in its ``tasks.py``::

    @task("import_parts", "Import of parts", queue=LONG)
    def import_parts(task: QueuedTask) -> None:
        for rows in chunks(task.payload["upload_id"], start=task.progress):
            with transaction.atomic():
                …
                report(task, progress=…, total=…)
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models import F
from django.utils import timezone

from .errors import Conflict
from .log_formatters import conceal
from .models import QueuedTask, new_key
from .registry import TaskKind, task_kinds
from .transactions import retry_on_deadlock

logger = logging.getLogger(__name__)

Handler = Callable[[QueuedTask], None]

#: What takes seconds, such as a mail, and what may take minutes.
SHORT, LONG = "short", "long"
QUEUES = (SHORT, LONG)
#: Longer than a slow mail server needs; so long does a task wait whose worker died.
LEASE = timedelta(minutes=3)
#: Seconds before the second attempt, the third, and so on: ten hours in all.
PAUSES = (10, 40, 160, 640, 2_560, 10_240, 21_600)
MAX_ATTEMPTS = len(PAUSES) + 1
#: If another worker was quicker with the first, one of the next is free.
CANDIDATES = 5

#: Set when the process is to end: tasks that report progress are put back then.
stopping = Event()


class TaskDropped(Exception):
    """Raised by a handler: there is nothing to do any more. The text says why."""


class TaskFailed(Exception):
    """Raised by a handler: another attempt would fail, too. The text says why."""


class LeaseLost(Exception):
    """Another worker has the task by now, or it is needed no longer."""


class WorkerStopping(Exception):
    """The worker is told to end; another one goes on with the task."""


class TaskNotFailed(Conflict):
    """Only a task that has failed can be done again."""

    code = "not_failed"


def task(name: str, title: str, *, queue: str) -> Callable[[Handler], Handler]:
    """Register a function as what a worker does for a kind of task."""

    def register(run: Handler) -> Handler:
        task_kinds.add(TaskKind(name, title, queue, run))
        return run

    return register


def get_kind(name: str) -> TaskKind:
    """:raises LookupError: if no app has registered the kind"""
    for kind in task_kinds:
        if kind.name == name:
            return kind
    raise LookupError(f"No app has a task of the kind {name!r}.")


@retry_on_deadlock
def enqueue(
    *,
    kind: str,
    payload: Mapping[str, Any],
    recipient: str = "",
    subject: str = "",
    run_at: datetime | None = None,
) -> QueuedTask:
    """Have a worker do something, once the present transaction is committed.

    ``payload`` is JSON, without secrets. ``recipient`` and ``subject`` are what staff
    see of the task.

    :raises LookupError: if no app has registered the kind
    """
    return QueuedTask.objects.create(
        kind=kind,
        queue=get_kind(kind).queue,
        payload=dict(payload),
        recipient=recipient,
        subject=subject,
        due_at=run_at or timezone.now(),
    )


def run_next(queue: str) -> bool:
    """Do the task of a queue that is due first; tell whether there was one."""
    taken = take(queue)
    if taken is not None:
        perform(taken)
    return taken is not None


@retry_on_deadlock
def take(queue: str) -> QueuedTask | None:
    """Take the task that is due first. No other worker gets it while the lease holds.

    Looking and taking are one UPDATE, which finds the row as it was read or not at all.
    """
    now = timezone.now()
    for found in QueuedTask.objects.due(queue, now)[:CANDIDATES]:
        unchanged = QueuedTask.objects.due(queue, now).filter(
            pk=found.pk, lease=found.lease, due_at=found.due_at
        )
        lease, lease_ends = new_key(), now + LEASE
        if unchanged.order_by().update(
            lease=lease, due_at=lease_ends, attempts=F("attempts") + 1
        ):
            found.lease, found.due_at = lease, lease_ends
            found.attempts += 1
            return found
    return None


def perform(taken: QueuedTask) -> None:
    """Run a task that was taken, and write down what became of it."""
    try:
        if taken.attempts > MAX_ATTEMPTS:
            raise TaskFailed("Each attempt ended with the worker that made it.")
        get_kind(taken.kind).run(taken)
    except WorkerStopping:
        _put_back(taken)
    except LeaseLost:
        _log_lost_lease(taken)
    except TaskDropped as why:
        _finish(taken, QueuedTask.State.NOT_NEEDED, str(why))
    except TaskFailed as why:
        _finish(taken, QueuedTask.State.FAILED, str(why))
    except Exception as error:
        _try_later(taken, error)
    else:
        _finish(taken, QueuedTask.State.DONE)


def report(taken: QueuedTask, *, progress: int, total: int) -> None:
    """Note how far a long task has come, and prolong its lease; call it often.

    Call it at the end of the transaction that did the work, which then counts exactly
    once: the next attempt begins at ``task.progress``.

    :raises LeaseLost: if another worker has the task by now
    :raises WorkerStopping: if the worker is to end
    """
    if stopping.is_set():
        raise WorkerStopping
    lease_ends = timezone.now() + LEASE
    if not _own(taken).update(progress=progress, total=total, due_at=lease_ends):
        raise LeaseLost
    taken.progress, taken.total, taken.due_at = progress, total, lease_ends


def retry_failed(*, task: QueuedTask) -> None:
    """Have a failed task done again, now.

    :raises TaskNotFailed: if it has not failed, or somebody else did the same
    """
    failed = QueuedTask.objects.filter(pk=task.pk, state=QueuedTask.State.FAILED)
    if not failed.update(
        state=QueuedTask.State.WAITING,
        due_at=timezone.now(),
        attempts=0,
        remark="",
        finished_at=None,
    ):
        raise TaskNotFailed("Only what has failed can be sent again.")


def erase_recipients(*recipients: str) -> None:
    """Blank what is personal in the tasks for some addresses; none is done any more."""
    theirs = QueuedTask.objects.filter(recipient__in=recipients)
    # What failed could be done again, and has nothing left to be done with.
    undone = QueuedTask.State.WAITING, QueuedTask.State.FAILED
    theirs.filter(state__in=undone).update(
        state=QueuedTask.State.NOT_NEEDED, lease="", finished_at=timezone.now()
    )
    theirs.update(payload={}, recipient="", subject="", remark="")


def _own(taken: QueuedTask) -> Any:
    """Return the task as long as its lease is the one that it was taken with."""
    return QueuedTask.objects.filter(pk=taken.pk, lease=taken.lease)


def _finish(taken: QueuedTask, state: QueuedTask.State, remark: str = "") -> None:
    if state == QueuedTask.State.FAILED:
        logger.error("Task %d (%s) failed: %s", taken.pk, taken.kind, conceal(remark))
    _settle(taken, state=state, finished_at=timezone.now(), remark=_short(remark))


def _try_later(taken: QueuedTask, error: Exception) -> None:
    """Wait longer before each attempt; after the last one, the task has failed."""
    why = f"{type(error).__name__}: {error}"
    if taken.attempts >= MAX_ATTEMPTS:
        _finish(taken, QueuedTask.State.FAILED, why)
        return
    pause = PAUSES[taken.attempts - 1]
    logger.warning(
        "Task %d (%s) is tried again in %d s: %s",
        *(taken.pk, taken.kind, pause, conceal(why)),
        # A host that is away needs no traceback.
        exc_info=None if isinstance(error, OSError) else error,
    )
    due_at = timezone.now() + timedelta(seconds=pause)
    _settle(taken, due_at=due_at, remark=_short(why))


def _put_back(taken: QueuedTask) -> None:
    _settle(taken, due_at=timezone.now(), attempts=taken.attempts - 1)


def _settle(taken: QueuedTask, **changes: Any) -> None:
    """Write down what became of a task, and give its lease back.

    What was sent and not written down would be sent again. So, as long as the lease
    holds, wait for a database that is away.
    """
    while True:
        try:
            if not _write(taken, lease="", recipient=taken.recipient, **changes):
                _log_lost_lease(taken)
            return
        except (InterfaceError, OperationalError):
            if timezone.now() >= taken.due_at:
                raise
        time.sleep(1)
        close_old_connections()


@retry_on_deadlock
def _write(taken: QueuedTask, **changes: Any) -> int:
    updated: int = _own(taken).update(**changes)
    return updated


def _log_lost_lease(taken: QueuedTask) -> None:
    logger.warning("Task %d (%s) was not ours any more.", taken.pk, taken.kind)


def _short(remark: str) -> str:
    """Shorten a remark to its column, without the token that a server may quote."""
    return conceal(remark)[:500]

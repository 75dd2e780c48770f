"""Transactions that are run again when the database asks for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial, wraps
from random import uniform
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction
from django.dispatch import Signal

T = TypeVar("T")
P = ParamSpec("P")

logger = logging.getLogger(__name__)

TRIES = 8
#: No new try after so many seconds: a caller is waiting.
PATIENCE_SECONDS = 6
LONGEST_FIRST_PAUSE_SECONDS = 0.02

#: Sent with the ``error`` of the database before each new try.
transaction_retried = Signal()

LOCK_WAIT_TIMEOUT = 1205
#: Beside it: a deadlock (or a conflict in a cluster), a row changed since the snapshot.
MYSQL_TRANSIENT = frozenset({LOCK_WAIT_TIMEOUT, 1213, 1020})
SQLITE_TRANSIENT = ("database is locked", "database table is locked")


#: Whether a unit of work is under way, which the next one joins.
_in_unit: ContextVar[bool] = ContextVar("in_unit", default=False)


def unit_of_work(work: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function that takes effect as a whole or not at all.

    It is ``atomic``, without a savepoint where it joins the unit that calls it, which
    must let pass what it raises. A caller that wants to catch that, and to go on, opens
    an ``atomic`` block around the call.
    """

    @wraps(work)
    def join_or_begin(*args: P.args, **kwargs: P.kwargs) -> T:
        is_outermost = not _in_unit.get()
        before = _in_unit.set(True)
        try:
            with transaction.atomic(savepoint=is_outermost):
                return work(*args, **kwargs)
        finally:
            _in_unit.reset(before)

    return join_or_begin


def is_transient(error: BaseException | None) -> bool:
    """Return whether the same transaction may well succeed a moment later."""
    if not isinstance(error, OperationalError) or not error.args:
        return False
    what = error.args[0]
    return what in MYSQL_TRANSIENT or str(what).startswith(SQLITE_TRANSIENT)


def run_with_retries(work: Callable[[], T]) -> T:
    """Run ``work``, which opens a transaction, until the database lets it through.

    Within a transaction nothing is tried again: what the database gives up on is all
    of it, so only the outermost can start over. The pauses are random, or those who
    collided would meet again, and grow with each try.

    :raises OperationalError: the last transient one, or any other at once
    """
    if connection.in_atomic_block:
        return work()
    deadline = time.monotonic() + PATIENCE_SECONDS
    for number in range(1, TRIES + 1):
        try:
            return work()
        except OperationalError as error:
            late = number == TRIES or time.monotonic() > deadline
            if late or not is_transient(error):
                raise
            logger.info("Try %d gave way to another transaction: %s", number, error)
            transaction_retried.send(sender=None, error=error)
        time.sleep(uniform(0, LONGEST_FIRST_PAUSE_SECONDS * 2**number))  # noqa: S311
    raise AssertionError("the last try returns or raises")


def retry_on_deadlock(work: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function whose transaction is the outermost of its request."""

    @wraps(work)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_with_retries(partial(work, *args, **kwargs))

    return wrapper

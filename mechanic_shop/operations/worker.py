"""The worker of the queue: it does what is due, until it is told to end."""

from __future__ import annotations

import logging
import os
import signal
from threading import Thread
from types import FrameType

from django.db import Error, close_old_connections, connections

from mechanic_shop.core import outbox

logger = logging.getLogger(__name__)

#: How long a mail may wait for a worker that has nothing else to do.
POLL_SECONDS = 1.0
#: After an error of the database, which may be away for a while.
PAUSE_SECONDS = 5.0


def work_until_told(*, parent: int | None = None) -> None:
    """Work on all queues until SIGTERM or SIGINT, or until ``parent`` has died.

    What is under way then is finished, or put back if it takes long.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    threads = [Thread(target=work, args=[queue], name=queue) for queue in outbox.QUEUES]
    for thread in threads:
        thread.start()
    while not outbox.stopping.wait(POLL_SECONDS):
        if parent is not None and os.getppid() != parent:
            outbox.stopping.set()
    for thread in threads:
        thread.join()


def work(queue: str) -> None:
    """Do what is due in a queue, one after the other, and look again after a while."""
    try:
        while not outbox.stopping.is_set():
            if not _do_next(queue):
                outbox.stopping.wait(POLL_SECONDS)
    finally:
        # An error that nobody expects ends the whole process, which comes back whole.
        outbox.stopping.set()
        connections.close_all()


def _do_next(queue: str) -> bool:
    """Do one task; a database that is away, or has no tables yet, is waited for."""
    close_old_connections()
    try:
        return outbox.run_next(queue)
    except Error as error:
        logger.warning("The queue cannot be read or written: %s", error)
        outbox.stopping.wait(PAUSE_SECONDS)
        return False


def _stop(number: int, frame: FrameType | None) -> None:
    outbox.stopping.set()

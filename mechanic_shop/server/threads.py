"""Threads that do what an event loop must not wait for.

``loop.run_in_executor`` does the same with two futures, their locks and callbacks for
each request. That took as long as everything else between a socket and Django.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

Work = Callable[[], None]


class Task(NamedTuple):
    work: Work
    done: asyncio.Future[None]


class Threads:
    """Up to ``number`` threads; as many are started as ever had work at the same time.

    Everything but the work itself happens in the thread of the one event loop, so that
    nothing here needs a lock.
    """

    def __init__(self, number: int, *, name: str) -> None:
        self.number = number
        self.name = name
        self._waiting: SimpleQueue[Task | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._unfinished = 0

    async def run(self, work: Callable[..., None], *args: object) -> None:
        """Do it in a thread; raises what it raises."""
        done = asyncio.get_running_loop().create_future()
        self._unfinished += 1
        if len(self._threads) < min(self._unfinished, self.number):
            self._start_another()
        self._waiting.put(Task(partial(work, *args), done))
        try:
            await done
        finally:
            self._unfinished -= 1

    def stop(self) -> None:
        """Wait until everything that was begun is done."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _start_another(self) -> None:
        # A daemon: a process that ends without ``stop`` must not wait for ever.
        name = f"{self.name}-{len(self._threads)}"
        thread = Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while self._do_next():
            pass

    def _do_next(self) -> bool:
        """Wait for a task and do it; nothing of it is kept until the next one comes."""
        task = self._waiting.get()
        if task is None:
            return False
        error = _error_of(task.work)
        with suppress(RuntimeError):  # the loop ended before its task did
            task.done.get_loop().call_soon_threadsafe(_settle, task.done, error)
        return True


def _error_of(work: Work) -> BaseException | None:
    try:
        work()
    except BaseException as error:  # it belongs to whoever awaits, whatever it is
        return error
    return None


def _settle(done: asyncio.Future[None], error: BaseException | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)

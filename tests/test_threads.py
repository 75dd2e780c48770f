"""The threads that requests are answered in."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest

from mechanic_shop.server.threads import Threads


@pytest.fixture
def threads() -> Iterator[Threads]:
    threads = Threads(2, name="test")
    yield threads
    threads.stop()


def alive() -> list[str]:
    names = (thread.name for thread in threading.enumerate())
    return sorted(name for name in names if name.startswith("test-"))


def together(*begin: Callable[[], Awaitable[None]]) -> None:
    async def all_of_them() -> None:
        await asyncio.gather(*(one() for one in begin))

    asyncio.run(all_of_them())


class TestRun:
    def test_works_in_another_thread_while_the_loop_goes_on(
        self, threads: Threads
    ) -> None:
        seen: list[str] = []
        may_end = threading.Event()

        def work(word: str) -> None:
            seen.append(threading.current_thread().name)
            assert may_end.wait(5)
            seen.append(word)

        async def go_on() -> None:
            may_end.set()

        together(lambda: threads.run(work, "done"), go_on)

        assert seen == ["test-0", "done"]

    def test_raises_what_the_work_raises(self, threads: Threads) -> None:
        with pytest.raises(ZeroDivisionError):
            together(lambda: threads.run(lambda: 1 / 0))  # type: ignore[arg-type]

    def test_works_after_a_failure(self, threads: Threads) -> None:
        done = threading.Event()

        with pytest.raises(SystemExit):
            together(lambda: threads.run(exit))
        together(lambda: threads.run(done.set))

        assert done.is_set()
        assert alive() == ["test-0"]

    def test_starts_no_second_thread_for_one_after_the_other(
        self, threads: Threads
    ) -> None:
        async def one_by_one() -> None:
            for _ in range(5):
                await threads.run(lambda: None)

        asyncio.run(one_by_one())

        assert alive() == ["test-0"]

    def test_works_on_as_many_at_once_as_there_are_threads(
        self, threads: Threads
    ) -> None:
        both = threading.Barrier(2)

        def meet() -> None:
            both.wait(5)

        together(*[lambda: threads.run(meet)] * 4)

        assert alive() == ["test-0", "test-1"]

    def test_keeps_nothing_of_a_request_that_is_answered(
        self, threads: Threads
    ) -> None:
        class Request:
            def answer(self) -> None:
                pass

        def answer_one() -> weakref.ref[Request]:
            request = Request()
            together(lambda: threads.run(request.answer))
            return weakref.ref(request)

        kept = answer_one()
        gc.collect()

        assert kept() is None


class TestStop:
    def test_waits_for_what_was_begun_though_nobody_listens(self) -> None:
        threads = Threads(1, name="test")
        finished = threading.Event()

        def slow() -> None:
            time.sleep(0.1)
            finished.set()

        async def begin_and_leave() -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(threads.run(slow), 0.01)

        asyncio.run(begin_and_leave())
        threads.stop()

        assert finished.is_set()
        assert alive() == []

"""A simulation driven by events: run generators step by step, in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import Protocol

from .backdating import WEEK, Past

Report = Callable[[str], None]


class Story(Protocol):
    """Something that happens step by step from the minute ``begins`` on.

    ``steps`` works, yields the minutes until its next step, and works again.
    """

    begins: int

    def steps(self) -> Iterator[int]: ...


def run_stories(past: Past, stories: Iterable[Story], report: Report) -> None:
    """Run the steps of all stories in order of time until today.

    Each step finds the stock that earlier steps of any story have left, so no ledger
    ever runs backwards.
    """
    queue = [
        (story.begins, number, story, story.steps())
        for number, story in enumerate(stories)
    ]
    heapify(queue)
    weeks = Weeks(queue[0][0], report)
    while queue and queue[0][0] <= 0:
        minute, number, story, steps = heappop(queue)
        weeks.pass_by(minute)
        past.play(minute)
        pause = next(steps, None)
        if pause is not None:
            heappush(queue, (minute + pause, number, story, steps))


class Weeks:
    """Reports the weeks as they go by."""

    def __init__(self, first_minute: int, report: Report) -> None:
        self._first_minute = first_minute
        self._reported = 0
        self._report = report

    def pass_by(self, minute: int) -> None:
        week = (minute - self._first_minute) // WEEK + 1
        total = -self._first_minute // WEEK + 1
        if week > self._reported:
            self._reported = week
            self._report(f"  week {week} of {total}")

"""Event-driven simulation: run generators step by step, in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import Protocol

from .backdating import WEEK, Timeline

Report = Callable[[str], None]


class Story(Protocol):
    """A sequence of steps that starts at the minute ``begins``.

    ``steps`` makes changes, yields the minutes until its next step, and so on.
    """

    begins: int

    def steps(self) -> Iterator[int]: ...


def run_stories(timeline: Timeline, stories: Iterable[Story], report: Report) -> None:
    """Run the steps of all stories in order of time until today.

    Each step sees the stock that earlier steps of all stories have left, so the ledgers
    are in order of time.
    """
    queue = [
        (story.begins, number, story, story.steps())
        for number, story in enumerate(stories)
    ]
    heapify(queue)
    reporter = WeekReporter(queue[0][0], report)
    while queue and queue[0][0] <= 0:
        minute, number, story, steps = heappop(queue)
        reporter.report_until(minute)
        timeline.start_minute(minute)
        pause = next(steps, None)
        if pause is not None:
            heappush(queue, (minute + pause, number, story, steps))


class WeekReporter:
    """Reports each week of the simulation when it begins."""

    def __init__(self, first_minute: int, report: Report) -> None:
        self._first_minute = first_minute
        self._reported = 0
        self._report = report

    def report_until(self, minute: int) -> None:
        week = (minute - self._first_minute) // WEEK + 1
        total = -self._first_minute // WEEK + 1
        if week > self._reported:
            self._reported = week
            self._report(f"  week {week} of {total}")

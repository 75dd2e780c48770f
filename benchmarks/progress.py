"""A bar on the terminal for what takes minutes."""

from __future__ import annotations

import sys

WIDTH = 30


class Progress:
    def __init__(self, title: str, total: int) -> None:
        self.title = title
        self.total = total
        self.done = 0

    def advance(self, steps: int, what: str) -> None:
        self.done += steps
        if sys.stderr.isatty():
            line = f"\r{self.title} {bar(self.done, self.total)} {what:<30}"
            print(line, end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        start = "\r" if sys.stderr.isatty() else ""
        print(f"{start}{self.title}: {self.done:,} rows{'':<50}", file=sys.stderr)


def bar(done: int, total: int) -> str:
    share = done / total if total else 1.0
    full = int(share * WIDTH)
    return f"[{'#' * full}{'.' * (WIDTH - full)}] {share:4.0%}"

"""The collection passes on the demo shop, and again on what its first run left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ..support.server import NO_LIMITS, Server, running_server
from .newman import Run, run_newman

#: The demo shop's logins have the first; the others begin those that a run makes up.
PASSWORDS = {"password123", "winding-road-", "slower-road-", "guessed-road-"}
#: The request of each limit, how often it may be sent, and what it answers until then.
LIMITED = [
    ("Add parts: 20 an hour", 19, 400),
    ("Hire mechanics: 10 an hour", 10, 400),
    ("Add customers: 5 an hour", 5, 400),
    ("Open tickets: 10 an hour", 10, 400),
    ("Change the password: 5 a minute", 5, 400),
    ("Ask for a password link: 3 an hour", 3, 200),
    ("Register: 3 an hour", 3, 400),
]


@contextmanager
def demo_shop(folder: Path, **settings: Any) -> Iterator[Server]:
    with running_server(folder, **settings) as server:
        server.secrets |= PASSWORDS
        server.manage("seed_demo", "--force")
        yield server


def run_twice(script: str, server: Server, folder: Path) -> list[Run]:
    """Run a script in a row, and look into the shop's books after it."""
    runs = []
    for turn in ("first", "second"):
        place = folder / turn
        place.mkdir()
        runs.append(run_newman(script, server.url, place))
    server.manage("check_invariants")
    return runs


@pytest.mark.xdist_group("postman without limits")
class TestShop:
    def test_passes_twice_in_a_row(self, tmp_path: Path) -> None:
        with demo_shop(tmp_path, **NO_LIMITS) as server:
            first, second = run_twice("shop", server, tmp_path)

        assert first.failures == 0, first.summary
        assert second.failures == 0, second.summary
        assert first.requests == second.requests > 0


@pytest.mark.xdist_group("postman with limits")
class TestLimits:
    def test_pass_on_fresh_budgets_and_on_spent_ones(self, tmp_path: Path) -> None:
        with demo_shop(tmp_path) as server:
            first, second = run_twice("limits", server, tmp_path)

        assert first.failures == 0, first.summary
        assert second.failures == 0, second.summary
        for request, budget, status in LIMITED:
            answers = first.answers_to(request)
            assert answers[-1] == 429
            # More of them only if a window ended meanwhile.
            assert answers.count(status) == len(answers) - 1 >= budget
        assert second.answers_to("Sign in as the owner")[-1] == 200

"""The limits are exact in the production form, with 64 requests at once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from .server import Server, running_server

pytestmark = pytest.mark.xdist_group("server of the limits")

PROCESSES = 4
AT_ONCE = 64
LOGINS, REGISTRATIONS = 5, 3
WINDOW_SECONDS = 60
#: More than one test needs for its requests.
ENOUGH_SECONDS = 5
STRANGER = {"email": "nobody@example.com", "password": "wrong-horse-battery"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(
        tmp_path_factory.mktemp("limits"),
        workers=PROCESSES,
        settings_module="tests.reliability.server_settings",
    ) as server:
        yield server


@pytest.fixture
def _far_from_the_end_of_a_window() -> None:
    """Wait for the next window if this one ends soon; the server's clock is real."""
    left = WINDOW_SECONDS - time.time() % WINDOW_SECONDS
    if left < ENOUGH_SECONDS:
        time.sleep(left)


def at_once(request: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Send all requests at the same moment, each by a thread of its own."""
    start = Barrier(AT_ONCE, timeout=30)

    def one(number: int) -> httpx.Response:
        start.wait()
        return request(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def assert_exactly(limit: int, passed: int, answers: list[httpx.Response]) -> None:
    """Check that so many passed, that each knows its number, and the rest must wait."""
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {passed: limit, 429: AT_ONCE - limit}
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {str(limit)}
    left = [
        int(answer.headers["RateLimit-Remaining"])
        for answer in answers
        if answer.status_code == passed
    ]
    assert sorted(left) == list(range(limit))
    for answer in answers:
        if answer.status_code == 429:
            assert answer.json()["code"] == "throttled"
            assert answer.headers["RateLimit-Remaining"] == "0"
            assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.usefixtures("_far_from_the_end_of_a_window")
class TestLimitsOnTheServer:
    def test_let_exactly_five_of_64_logins_pass_at_all_doors_together(
        self, server: Server
    ) -> None:
        client = server.client()
        form = f"{server.url}/admin/login/"
        csrf = client.get(form).raise_for_status().cookies["csrftoken"]
        fields = {"username": "a@b.example", "password": "wrong"}

        answers = at_once(lambda _: client.post("/auth/login", json=STRANGER))
        afterwards = client.post(form, data={**fields, "csrfmiddlewaretoken": csrf})

        assert_exactly(LOGINS, 401, answers)
        assert afterwards.status_code == 429
        assert 0 < int(afterwards.headers["Retry-After"]) <= WINDOW_SECONDS

    def test_let_exactly_three_of_64_registrations_pass(self, server: Server) -> None:
        client = server.client()
        person = {
            "first_name": "Ann",
            "last_name": "Lee",
            "phone": "1",
            "password": "correct-horse-battery",
        }

        answers = at_once(
            lambda number: client.post(
                "/auth/register", json={**person, "email": f"ann{number}@example.com"}
            )
        )

        assert_exactly(REGISTRATIONS, 201, answers)

"""One server has one set of figures, whichever of its workers is asked."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from .reliability.load import until
from .reliability.shop import paused
from .support.server import Server, running_server

TOKEN = "a-token-of-a-server-that-lives-for-one-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PARTS = {"method": "GET", "route": "/api/inventory", "status": "401"}
UNKNOWN = {"method": "GET", "route": "unmatched", "status": "404"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    with running_server(
        tmp_path, workers=2, METRICS_TOKEN=TOKEN, TMPDIR=str(folder)
    ) as server:
        until(lambda: len(server.worker_pids()) == 2)
        yield server
    assert list(folder.iterdir()) == []


def figure(text: str, name: str, labels: dict[str, str]) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def figures(server: Server) -> str:
    answer = httpx.get(f"{server.url}/metrics", headers=BEARER, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.text


def of_each_worker(server: Server, path: str) -> list[str]:
    """Ask every worker once, the others being paused."""
    workers = server.worker_pids()
    answers = []
    for worker in workers:
        with paused(*(pid for pid in workers if pid != worker)):
            answers.append(
                httpx.get(f"{server.url}{path}", headers=BEARER, timeout=30).text
            )
    return answers


class TestMetricsOfAServer:
    def test_are_the_sum_of_its_workers_from_each_of_them(self, server: Server) -> None:
        for _ in range(3):
            of_each_worker(server, "/api/inventory")
        of_each_worker(server, "/nowhere")

        texts = of_each_worker(server, "/metrics")

        requests = "shop_http_requests_total"
        assert [figure(text, requests, PARTS) for text in texts] == [6, 6]
        assert [figure(text, requests, UNKNOWN) for text in texts] == [2, 2]
        assert "pid=" not in texts[0]

    def test_do_not_go_back_when_a_worker_dies(self, server: Server) -> None:
        of_each_worker(server, "/api/inventory")
        before = set(server.worker_pids())

        os.kill(min(before), signal.SIGKILL)
        until(lambda: len(new := set(server.worker_pids())) == 2 and new != before)
        of_each_worker(server, "/api/inventory")

        assert figure(figures(server), "shop_http_requests_total", PARTS) == 4

    def test_are_kept_where_nobody_else_can_read(self, server: Server) -> None:
        [folder] = Path(server.environment["TMPDIR"]).iterdir()

        assert folder.stat().st_mode & 0o777 == 0o700

    def test_need_the_token(self, server: Server) -> None:
        answer = httpx.get(f"{server.url}/metrics", timeout=30)

        assert (answer.status_code, answer.content) == (401, b"")


class TestMetricsOff:
    def test_are_not_there_and_leave_nothing_behind(self, tmp_path: Path) -> None:
        folder = tmp_path / "temporary"
        folder.mkdir()

        with running_server(tmp_path, workers=1, TMPDIR=str(folder)) as server:
            answer = httpx.get(f"{server.url}/metrics", headers=BEARER, timeout=30)
            kept = list(folder.iterdir())

        assert (answer.status_code, kept) == (404, [])

"""Workers of two nodes: the locks of each are its own, a lease is everybody's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..reliability.load import until
from ..reliability.mail_queue import Queue
from ..reliability.mail_server import MailServer, running_mail_server
from ..reliability.shop import NAIVE, Shop
from .nodes import Cluster

SOME = 60


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with running_mail_server() as server:
        yield server


@pytest.fixture
def queues(
    branches: list[Shop], mail_server: MailServer, tmp_path: Path
) -> list[Queue]:
    """The queue as each of two nodes sees it."""
    return [
        Queue(branch.server, mail_server, tmp_path / f"{branch.on}.log")
        for branch in branches
    ]


def send_all(queues: list[Queue], mail_server: MailServer, **environment: str) -> None:
    """Let a worker of each node send until nothing waits, and a little longer."""
    with ExitStack() as running:
        for queue in queues:
            running.enter_context(queue.worker(**environment))
        queues[0].empty()
        until(lambda: len(mail_server.received) >= SOME)


class TestWorkersOfTwoNodes:
    def test_send_each_mail_once(
        self,
        cluster: Cluster,
        database: str,
        queues: list[Queue],
        mail_server: MailServer,
    ) -> None:
        keys = queues[0].add(SOME)

        send_all(queues, mail_server)

        assert Counter(mail_server.received) == Counter(keys)
        cluster.assert_equal(database)

    def test_would_send_one_twice_by_looking_first(
        self, queues: list[Queue], mail_server: MailServer
    ) -> None:
        queues[0].add(SOME)

        send_all(queues, mail_server, DJANGO_SETTINGS_MODULE=NAIVE)

        assert max(Counter(mail_server.received).values()) > 1

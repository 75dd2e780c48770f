"""Mail of the queue: workers that are killed, mail servers that hang, two at once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from .conftest import Services
from .load import until
from .mail_queue import Queue
from .mail_server import MailServer, running_mail_server
from .shop import Shop

MANY = 500
#: Enough for two workers to meet, and to go on together for a while.
SOME = 30


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with running_mail_server() as server:
        yield server


@pytest.fixture
def queue(shop: Shop, mail_server: MailServer, tmp_path: Path) -> Queue:
    return Queue(shop.server, mail_server, tmp_path / "worker.log")


class TestKilledWorker:
    @pytest.mark.race
    def test_loses_no_mail_that_it_has_not_sent(
        self, queue: Queue, mail_server: MailServer
    ) -> None:
        keys = queue.add(3)

        mail_server.hang()
        with queue.worker() as worker:
            until(lambda: mail_server.connections)
            worker.kill()
            worker.wait()
        mail_server.work()
        assert mail_server.received == []
        queue.make_due()
        with queue.worker():
            queue.empty()

        assert sorted(mail_server.received) == sorted(keys)

    @pytest.mark.race
    def test_lets_a_mail_be_sent_again_under_its_id(
        self, queue: Queue, mail_server: MailServer
    ) -> None:
        keys = queue.add(1)

        mail_server.hold_answers()
        with queue.worker() as worker:
            until(lambda: mail_server.received)
            worker.kill()
            worker.wait()
        mail_server.work()
        with queue.worker():
            time.sleep(2)
            before_the_lease_ends = list(mail_server.received)
            queue.make_due()
            queue.empty()

        assert before_the_lease_ends == keys
        assert mail_server.received == keys * 2


class TestWorker:
    def test_finishes_its_mail_when_it_is_told_to_end(
        self, queue: Queue, mail_server: MailServer
    ) -> None:
        keys = queue.add(2)

        mail_server.hold_answers()
        with queue.worker() as worker:
            until(lambda: mail_server.received)
            worker.terminate()
            time.sleep(0.5)
            mail_server.work()
            status = worker.wait(10)

        assert (status, mail_server.received) == (0, keys[:1])
        assert queue.waiting() == 1

    def test_sends_what_has_piled_up_in_its_order(
        self, queue: Queue, mail_server: MailServer
    ) -> None:
        keys = queue.add(MANY)

        with queue.worker():
            until(lambda: len(mail_server.received) == MANY, seconds=120)
            queue.empty()

        assert mail_server.received == keys

    def test_goes_on_when_its_connections_were_cut(
        self, shop: Shop, services: Services, queue: Queue, mail_server: MailServer
    ) -> None:
        if shop.on != "mariadb":
            pytest.skip("SQLite has no connection to cut")
        with queue.worker():
            queue.add(1)
            queue.empty()
            database = shop.server.environment["DATABASE_URL"].rpartition("/")[2]
            for pid, _, _, name, *_ in services.mariadb.run("SHOW PROCESSLIST"):
                if name == database:
                    services.mariadb.run(f"KILL CONNECTION {pid}")
            queue.add(1)
            queue.empty()

        assert len(mail_server.received) == 2


class TestTwoWorkers:
    @pytest.mark.race
    def test_send_each_mail_once(self, queue: Queue, mail_server: MailServer) -> None:
        keys = queue.add(SOME)

        with queue.worker(), queue.worker():
            queue.empty()
            until(lambda: len(mail_server.received) >= SOME)
            time.sleep(0.5)

        assert Counter(mail_server.received) == Counter(keys)


class TestMailServer:
    def test_that_hangs_holds_no_request_up(
        self, shop: Shop, queue: Queue, mail_server: MailServer
    ) -> None:
        queue.add(1)
        mail_server.hang()

        with queue.worker():
            until(lambda: mail_server.connections)
            body = {"email": "nobody@example.com"}
            slowest = max(
                shop.client().post("/auth/password-reset", body).seconds
                for _ in range(20)
            )
            until(lambda: queue.first()["attempts"] and queue.first()["remark"])

        assert slowest < 2
        task = queue.first()
        assert (task["state"], task["attempts"]) == ("waiting", 1)
        assert "timed out" in task["remark"]

    def test_that_refuses_is_tried_until_it_is_too_late(
        self, shop: Shop, queue: Queue, mail_server: MailServer
    ) -> None:
        keys = queue.add(1)
        mail_server.answer = "451 not now"

        with queue.worker():
            until(lambda: queue.first()["attempts"] == 1)
            queue.make_due(attempts=7)
            until(lambda: queue.first()["state"] == "failed")
            path = f"{shop.server.url}/admin/core/queuedtask/"
            page = httpx.get(path, headers=shop.in_admin()).text
            mail_server.answer = "250 fine"
            queue.shell(
                "from mechanic_shop.core.outbox import retry_failed",
                "retry_failed(task=Task.objects.get())",
            )
            queue.empty()

        assert "not now" in page
        assert "Failed" in page
        assert mail_server.received == keys

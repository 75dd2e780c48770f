"""Metrics and the slow-query log share one wrapper, which misses no statement."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError

from mechanic_shop.core.query_hooks import QueryHook
from tests.test_settings import LOCAL, START, start


def query(sql: str = "SELECT 1") -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
class TestQueryHook:
    def test_tells_every_observer_the_same_seconds(self) -> None:
        first: list[Any] = []
        second: list[Any] = []
        hook = QueryHook(
            lambda *facts: first.append(facts), lambda *facts: second.append(facts)
        )

        with connection.execute_wrapper(hook):
            query("SELECT 1")

        assert first == second
        [(sql, seconds)] = first
        assert (sql, seconds > 0) == ("SELECT 1", True)

    def test_tells_of_statements_that_fail(self) -> None:
        def fail(*args: Any) -> None:
            raise OperationalError("gone")

        seen: list[Any] = []
        hook = QueryHook(lambda *facts: seen.append(facts))

        with (
            connection.execute_wrapper(hook),
            connection.execute_wrapper(fail),
            pytest.raises(OperationalError),
        ):
            query()

        assert [sql for sql, _ in seen] == ["SELECT 1"]


class TestObserveQueries:
    """In a process of its own, whose connections nobody else uses."""

    SCRIPT = f"""{START}
from threading import Thread
from django.db import connection
from mechanic_shop.core.query_hooks import observe_queries
seen = []
def work():
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.close()
work()
before = len(connection.execute_wrappers)
observe_queries(lambda sql, seconds: seen.append(sql))
observe_queries(lambda sql, seconds: seen.append(sql))
work()
thread = Thread(target=work)
thread.start()
thread.join()
print(before, len(connection.execute_wrappers), len(seen))"""

    def test_sees_old_and_new_connections_of_every_thread_once(self) -> None:
        environment = {
            **LOCAL,
            "DATABASE_URL": "sqlite:///:memory:",
            "SLOW_QUERY_MILLISECONDS": "0",
        }

        done = start(environment, self.SCRIPT)

        # No wrapper before, then one; four statements, each told to two observers.
        assert (done.stdout.strip(), done.stderr) == ("0 1 8", "")

"""Statements that took long are logged with where they came from, not with values."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError

from inventory.models import Part
from inventory.tests.factories import PartFactory
from mechanic_shop.accounts.models import Session
from mechanic_shop.core.query_hooks import QueryHook
from mechanic_shop.operations.slow_queries import LONGEST_SQL, SlowQueryLog
from tests.support.captured_logs import captured_logs
from tests.test_settings import LOCAL, START, start

EVERY_QUERY = SlowQueryLog(milliseconds=0)


def slow(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    time.sleep(0.03)
    return execute(sql, params, many, context)


@contextmanager
def logged(log: SlowQueryLog) -> Iterator[list[dict[str, Any]]]:
    with (
        captured_logs("slow_queries") as lines,
        connection.execute_wrapper(QueryHook(log)),
    ):
        yield lines


@pytest.mark.django_db
class TestSlowQueryLog:
    def test_says_what_took_how_long_without_a_value(self) -> None:
        with (
            captured_logs("slow_queries") as lines,
            connection.execute_wrapper(QueryHook(SlowQueryLog(milliseconds=20))),
            connection.execute_wrapper(slow),
        ):
            Part.objects.filter(name="a very private name").first()

        [line] = lines
        assert (line["message"], line["level"]) == ("slow_query", "WARNING")
        assert line["duration_ms"] >= 30
        assert line["sql"].startswith("SELECT")
        assert "private" not in str(line)

    def test_keeps_quiet_about_the_others(self) -> None:
        with logged(SlowQueryLog(milliseconds=5_000)) as lines:
            Part.objects.first()

        assert lines == []

    def test_knows_the_request(self, shop: Any) -> None:
        part = PartFactory.create()

        with logged(EVERY_QUERY) as lines:
            shop.get(f"/api/inventory/{part.pk}", headers={"X-Request-ID": "an-id"})

        assert len(lines) >= 2
        assert {line["route"] for line in lines} == {"/api/inventory/{pk}"}
        assert {line["request_id"] for line in lines} == {"an-id"}

    def test_sees_prepared_queries(self) -> None:
        with logged(EVERY_QUERY) as lines:
            Session.objects.load("x", 1)

        assert ["accounts_session" in line["sql"] for line in lines] == [True]

    def test_sees_statements_that_fail(self) -> None:
        def fail(*args: Any) -> None:
            raise OperationalError("gone")

        with (
            logged(EVERY_QUERY) as lines,
            connection.execute_wrapper(fail),
            pytest.raises(OperationalError),
        ):
            Part.objects.first()

        assert len(lines) == 1

    def test_cuts_what_nobody_would_read(self) -> None:
        with captured_logs("slow_queries") as lines:
            EVERY_QUERY("x" * 9_999, 1.0)

        assert len(lines[0]["sql"]) == LONGEST_SQL


class TestSetting:
    QUERY = f"""{START}
from django.db import connection
for _ in range(2):
    connection.ensure_connection()
    connection.close()
with connection.cursor() as cursor:
    cursor.execute("SELECT 1")
print(len(connection.execute_wrappers))"""

    @pytest.mark.parametrize(("milliseconds", "wrappers"), [("500", "1"), ("0", "0")])
    def test_puts_one_wrapper_on_a_connection_or_none(
        self, milliseconds: str, wrappers: str
    ) -> None:
        environment = {
            **LOCAL,
            "DATABASE_URL": "sqlite:///:memory:",
            "SLOW_QUERY_MILLISECONDS": milliseconds,
        }

        done = start(environment, self.QUERY)

        assert (done.stdout.strip(), done.stderr) == (wrappers, "")

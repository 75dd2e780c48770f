"""A statement that takes too long is ended by the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from mechanic_shop.core.statement_timeout import (
    MYSQL_LIMIT,
    SECONDS,
    SQLiteLimit,
    is_statement_timeout,
    limit_sqlite,
    limit_statements,
)
from mechanics.models import Mechanic
from mechanics.views import MechanicViewSet

#: Would take hours.
ENDLESS = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
SELECT COUNT(*) FROM numbers
"""
ENDLESS_MYSQL = """
SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b,
    information_schema.columns c
"""


def run_endless() -> None:
    with connection.cursor() as cursor:
        cursor.execute(ENDLESS if connection.vendor == "sqlite" else ENDLESS_MYSQL)


@pytest.fixture
def _impatient(transactional_db: None) -> Iterator[None]:
    """Limit the statements of this thread's connection to a moment."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        limit_sqlite(connection=connection, seconds=0.2)
    else:
        with connection.cursor() as cursor:
            cursor.execute("SET @x = 1" + MYSQL_LIMIT.replace(f"{SECONDS}", "0.2"))
    yield
    connection.close()
    connection.execute_wrappers[:] = [
        wrapper
        for wrapper in connection.execute_wrappers
        if not isinstance(wrapper, SQLiteLimit)
    ]


@pytest.mark.usefixtures("_impatient")
class TestStatementTimeout:
    def test_ends_a_statement_and_not_the_connection(self) -> None:
        with pytest.raises(OperationalError) as raised:
            run_endless()

        assert is_statement_timeout(raised.value)
        assert Mechanic.objects.count() == 0

    def test_is_a_503_that_says_so(
        self, shop: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(MechanicViewSet, "_top", lambda _: run_endless())

        response = shop.get("/api/mechanics/top")

        assert response.status_code == 503
        assert response.json()["code"] == "database_timeout"
        assert int(response["Retry-After"]) > 0


class TestEveryConnectionOfTheServer:
    def test_is_limited(self) -> None:
        database: dict[str, Any] = {
            "ENGINE": "django.db.backends.mysql",
            "OPTIONS": {"init_command": "SET sql_mode='TRADITIONAL'"},
        }

        limit_statements(database)

        assert "max_statement_time" in database["OPTIONS"]["init_command"]

    @pytest.mark.skipif(
        settings.DATABASES["default"]["ENGINE"].endswith("mysql"),
        reason="MySQL's limit is part of its options",
    )
    def test_replaces_the_limit_of_the_one_before(self, transactional_db: None) -> None:
        connection.ensure_connection()
        before = list(connection.execute_wrappers)
        try:
            limit_sqlite(connection=connection)
            limit_sqlite(connection=connection)

            found = [type(wrapper) for wrapper in connection.execute_wrappers]
            assert found.count(SQLiteLimit) == 1
        finally:
            connection.execute_wrappers[:] = before
            connection.close()

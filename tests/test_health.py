"""What load balancers ask: is the process up, and can it do its work?"""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

DEAD_CACHE = {
    "BACKEND": "django_redis.cache.RedisCache",
    "LOCATION": "redis://127.0.0.1:1/0",
    "OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 0.25},
}


class TestHealthz:
    def test_answers_without_a_database_or_a_cache(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Without the django_db mark any query fails; the cache gets the same treatment.
        monkeypatch.delattr("mechanic_shop.health.cache")

        response = client.get("/healthz")

        assert (response.status_code, response.json()) == (200, {"status": "ok"})

    @pytest.mark.django_db
    def test_asks_no_query(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(0):
            response = client.get("/healthz")

        assert response.status_code == 200


@pytest.mark.django_db
class TestReadyz:
    def test_is_ok_when_everything_answers(self, client: Client) -> None:
        response = client.get("/readyz")

        assert response.status_code == 200
        assert response.json() == {"status": "ok", "database": "ok", "cache": "ok"}

    def test_is_degraded_without_the_cache(
        self, client: Client, settings: LazySettings
    ) -> None:
        settings.CACHES = {"default": DEAD_CACHE}

        response = client.get("/readyz")

        assert response.status_code == 200
        assert response.json()["status"] == "degraded"
        assert response.json()["cache"] == "unavailable"

    def test_is_degraded_when_the_cache_keeps_nothing(
        self, client: Client, settings: LazySettings
    ) -> None:
        settings.CACHES = {
            "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
        }

        assert client.get("/readyz").json()["status"] == "degraded"

    @pytest.mark.parametrize("error", [OperationalError, InterfaceError])
    def test_is_a_503_without_the_database(
        self,
        client: Client,
        monkeypatch: pytest.MonkeyPatch,
        error: type[Exception],
    ) -> None:
        def away(*args: Any) -> None:
            raise error("(2002, 'secret.host refused')")

        monkeypatch.setattr(MigrationRecorder, "applied_migrations", away)

        response = client.get("/readyz")

        assert response.status_code == 503
        assert response.json()["status"] == "unavailable"
        assert response.json()["database"] == "unavailable"
        assert b"secret" not in response.content

    def test_is_a_503_before_the_migrations_have_run(self, client: Client) -> None:
        MigrationRecorder.Migration.objects.filter(app="inventory").delete()

        response = client.get("/readyz")

        assert response.status_code == 503
        assert response.json()["database"] == "migrations pending"

    def test_leaves_everybody_elses_cache_alone(self, client: Client) -> None:
        cache.set("theirs", 1, 60)

        client.get("/readyz")

        assert cache.get("theirs") == 1

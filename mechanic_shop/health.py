"""Liveness and readiness checks for whatever watches the servers."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from django.core.cache import cache
from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

logger = logging.getLogger(__name__)


def healthz(request: HttpRequest) -> JsonResponse:
    """Say that the process is up; touches neither database nor cache."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether to send requests here: 503 without a migrated database.

    503 also once the server is about to stop, which its processes tell each other by a
    file in the folder that they share.
    """
    if Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""), "stopping").is_file():
        return JsonResponse({"status": "stopping"}, status=503)
    checks = {"database": _database(), "cache": _cache()}
    if checks["database"] != "ok":
        return JsonResponse({"status": "unavailable", **checks}, status=503)
    status = "ok" if checks["cache"] == "ok" else "degraded"
    return JsonResponse({"status": status, **checks})


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseFailure:
        return "unavailable"
    return "migrations pending" if pending else "ok"


def _cache() -> str:
    try:
        cache.set("readyz", "ok", 10)
        return "ok" if cache.get("readyz") == "ok" else "unavailable"
    except Exception:  # each cache has errors of its own, and all mean the same
        logger.warning("The cache does not answer", exc_info=True)
        return "unavailable"

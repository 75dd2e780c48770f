"""The pages beside the API: landing, health, and whatever does not exist."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

logger = logging.getLogger(__name__)


def landing(request: HttpRequest) -> HttpResponse:
    """Show where everything is."""
    return render(request, "landing.html", {"shop_name": settings.SHOP_NAME})


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Send browsers that ask for the icon by its old name to the real one."""
    return HttpResponseRedirect(static("favicon.svg"))


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


@extend_schema(exclude=True)
class UnknownPath(APIView):
    """Whatever is under ``/api`` and is nothing."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Without it DRF chooses no renderer, and shows people JSON.
        self.format_kwarg = None
        raise NotFound("There is nothing at this address.")

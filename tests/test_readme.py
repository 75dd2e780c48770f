"""The README's walkthrough, run as it is pasted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from .support.server import Server
from .test_docs import walkthrough_script

pytestmark = [
    pytest.mark.xdist_group("demo server"),
    pytest.mark.skipif(
        not (shutil.which("bash") and shutil.which("curl")),
        reason="the walkthrough is for people with bash and curl",
    ),
]

EXPECTED = [
    (201, "POST", "/auth/register"),
    (200, "GET", "/auth/me"),
    (201, "POST", "/customers/*/vehicles"),
    (200, "POST", "/auth/login"),
    (201, "POST", "/mechanics"),
    (201, "POST", "/mechanics"),
    (201, "POST", "/inventory"),
    (201, "POST", "/service-tickets"),
    (200, "PUT", "/service-tickets/*/assign-mechanic/*"),
    (200, "PUT", "/service-tickets/*/edit"),
    (201, "POST", "/service-tickets/*/parts/*"),
    (200, "GET", "/inventory/*"),
    (204, "DELETE", "/service-tickets/*/parts/*"),
    (200, "GET", "/inventory/*"),
    (200, "GET", "/inventory/*/movements"),
    (409, "POST", "/service-tickets/*/parts/*"),
    (200, "GET", "/mechanics/by-activity?order=desc&active_only=true"),
    (200, "GET", "/customers/my-tickets"),
    (403, "GET", "/inventory"),
]


class TestWalkthrough:
    def test_works_when_pasted(self, demo_server: Server) -> None:
        run = subprocess.run(
            ["bash"],
            input=walkthrough_script(),
            env={**os.environ, "BASE": f"{demo_server.url}/api"},
            capture_output=True,
            text=True,
            check=True,
        )

        calls = re.findall(r"^(\d{3}) ([A-Z]+) (\S+)$", run.stdout, re.MULTILINE)
        assert [
            (int(status), method, re.sub(r"/\d+", "/*", path))
            for status, method, path in calls
        ] == EXPECTED
        assert re.findall(r"^In stock: (\d+)$", run.stdout, re.MULTILINE) == ["3", "5"]
        assert "insufficient_stock" in run.stdout
        assert run.stderr == ""

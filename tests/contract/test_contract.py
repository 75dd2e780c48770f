"""Schemathesis against the production form: are the answers those of schema.yml?"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mechanic_shop.testing.facts import contracts

from ..support.server import NO_LIMITS, OWNER, ROOT, WITH_WORKER, Server, running_server
from .conftest import SUMMARY
from .rows import MANAGER

METHODS = {"get", "post", "put", "patch", "delete"}
ENOUGH = 0.95
OPEN_A_LOGIN = """
from django.contrib.auth.models import Group
from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.roles import MANAGER

manager = User.objects.create_user(email={email!r}, password={password!r},
    first_name="Mary", last_name="Manager", is_staff=True)
manager.groups.add(Group.objects.get(name=MANAGER))
"""


@pytest.fixture(params=["customer", "manager"])
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A shop of its own for each run, in which nobody is throttled."""
    settings: dict[str, Any] = NO_LIMITS | {
        "ACCESS_TOKEN_MINUTES": "1440",
        "LOG_LEVEL": "ERROR",
    }
    with running_server(tmp_path, workers=1, command=WITH_WORKER, **settings) as server:
        server.manage(
            *("createsuperuser", "--noinput", "--email", OWNER["email"]),
            *("--first_name", "Olive", "--last_name", "Owner"),
        )
        server.manage("shell", "--command", OPEN_A_LOGIN.format(**MANAGER))
        yield server


def operations_of(role: str) -> set[str]:
    """Name what a role may use, as Schemathesis does: ``GET /api/customers``."""
    column = {"customer": "own", "manager": "mgr"}[role]
    rules = [rule for kind in contracts() for rule in kind.rules]
    allowed = {rule.operation for rule in rules if rule.statuses[column] < 400}
    return {label for label in _operations() if _as_in_rules(label) in allowed}


def _operations() -> list[str]:
    paths = yaml.safe_load((ROOT / "schema.yml").read_text())["paths"]
    return [
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in METHODS & methods.keys()
    ]


def _as_in_rules(label: str) -> str:
    return re.sub(r"{\w+}", "{}", label.replace(" /api", " "))


def run_schemathesis(
    server: Server, role: str, folder: Path, *, seed: int, examples: int
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Try all phases and checks; return the process, and what was reached."""
    report = folder / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(Path(__file__).parent / "schemathesis.toml")),
            *("run", str(ROOT / "schema.yml"), "--url", server.url),
            *("--seed", str(seed), "--max-examples", str(examples)),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "CONTRACT_ROLE": role,
            "CONTRACT_URL": server.url,
            "CONTRACT_LOG": str(folder / "server.log"),
            "CONTRACT_REPORT": str(report),
        },
        capture_output=True,
        text=True,
    )
    return done, json.loads(report.read_text()) if report.exists() else {}


@pytest.fixture
def check(
    server: Server,
    role: str,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> Callable[..., None]:
    """Run Schemathesis, and tell at the end how far it got."""

    def run(*, seed: int, examples: int) -> None:
        began = time.monotonic()
        done, report = run_schemathesis(
            server, role, tmp_path, seed=seed, examples=examples
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"

        mine = operations_of(role)
        missed = sorted(mine - set(report["reached"]))
        record_property(
            SUMMARY,
            f"{role}, seed {seed}: {len(mine) - len(missed)} of {len(mine)} operations"
            f" reached, {sum(report['answers'].values())} requests,"
            f" {time.monotonic() - began:.0f} s; not reached: {missed or 'none'}",
        )
        assert len(missed) <= (1 - ENOUGH) * len(mine), missed

    return run


class TestOperationsOf:
    def test_are_all_for_a_manager_and_fewer_for_a_customer(self) -> None:
        assert operations_of("manager") == set(_operations())
        assert 30 < len(operations_of("customer")) < len(_operations())


class TestContract:
    @pytest.mark.contract
    def test_holds_for_the_requests_that_the_document_leads_to(
        self, check: Callable[..., None]
    ) -> None:
        check(seed=1, examples=5)

    @pytest.mark.soak
    @pytest.mark.parametrize("seed", [2, 3, 4])
    def test_holds_for_many_more(self, check: Callable[..., None], seed: int) -> None:
        check(seed=seed, examples=30)

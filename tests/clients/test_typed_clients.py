"""The typed clients of docs/api.md: generated, checked by their compilers, and run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.doc_examples import blocks_of_clients, pairs
from tests.support.server import ROOT, Server

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("demo server")]

SHOP_OF_THE_GUIDE = "http://127.0.0.1:8000"
#: Types that let everything pass would be of no use.
REFUSED = """\
import type { components } from "./mechanic-shop.js";

declare const ticket: components["schemas"]["ServiceTicket"];
// @ts-expect-error: a vehicle has no such field
export const maker = ticket.vehicle.maker;
"""
COMPILER = ROOT / "tests/clients/node_modules/.bin/tsc"


@pytest.fixture(scope="module")
def generated() -> None:
    """Generate both clients by the commands of the guide."""
    for block in blocks_of_clients():
        if block.language == "bash":
            subprocess.run(["bash", "-euc", block.text], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def python(generated: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with nothing but the client's package."""
    place = tmp_path_factory.mktemp("author")
    run(sys.executable, "-m", "venv", "--without-pip", str(place))
    python = str(place / "bin" / "python")
    pip = (sys.executable, "-m", "pip", "--python", python, "--quiet")
    run(*pip, "install", "--disable-pip-version-check", str(ROOT / "clients/python"))
    return python


def run(*command: str, cwd: Path = ROOT) -> str:
    """Run a command and return what it prints.

    :raises AssertionError: if it fails
    """
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def example(language: str, server: Server) -> tuple[str, str]:
    """Return an example's source, for this server, and what it prints."""
    [(source, output)] = pairs(blocks_of_clients(), language, "text")
    assert SHOP_OF_THE_GUIDE in source.text
    return source.text.replace(SHOP_OF_THE_GUIDE, server.url), output.text


class TestPythonClient:
    def test_satisfies_mypy_and_gets_answers(
        self, python: str, demo_server: Server, tmp_path: Path
    ) -> None:
        source, shown = example("python", demo_server)
        program = tmp_path / "example.py"
        program.write_text(source)

        mypy = (sys.executable, "-m", "mypy", "--config-file=", "--strict")
        sources = ("-m", "example", "-p", "mechanic_shop_api_client")
        run(*mypy, "--python-executable", python, *sources, cwd=tmp_path)

        assert run(python, str(program)) == shown


class TestTypeScriptTypes:
    def test_satisfy_the_compiler_and_fit_the_answers(
        self, generated: None, demo_server: Server, tmp_path: Path
    ) -> None:
        source, shown = example("ts", demo_server)
        shutil.copy(ROOT / "clients" / "typescript" / "mechanic-shop.d.ts", tmp_path)
        (tmp_path / "example.mts").write_text(source)
        (tmp_path / "refused.mts").write_text(REFUSED)

        options = ("--strict", "--target", "es2022", "--module", "nodenext")
        run(str(COMPILER), *options, "example.mts", "refused.mts", cwd=tmp_path)

        assert run("node", "example.mjs", cwd=tmp_path) == shown

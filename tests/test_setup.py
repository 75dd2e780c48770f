"""On a machine that lacks something, ``make`` says in one line what."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from .support.server import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TOOLS = "/usr/bin:/bin"
#: The suites that start programs beside Python.
SUITES = (
    *("test-reliability", "test-topology", "test-soak", "test-cluster"),
    *("test-browser", "test-postman", "test-clients", "bench", "bench-smoke"),
)
FILES = (
    "Makefile",
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-mysql.txt",
    ".ci/needs",
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The part of a clone that installing looks at."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def script(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def make(
    clone: Path, *arguments: str | Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *map(str, arguments)],
        cwd=clone,
        env={"PATH": TOOLS, "HOME": str(clone), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what was said beside make's own closing line."""
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if not line.startswith("make: ***")]


class TestMissing:
    def test_python_is_named(self, clone: Path) -> None:
        old = script(clone / "python", "exit 1")

        done = make(clone, "setup", f"PYTHON={old}")

        assert done.returncode
        assert said(done) == ["Python 3.11 or newer is needed; name it with PYTHON=…"]

    def test_venv_is_named_with_its_package(self, clone: Path) -> None:
        bare = script(clone / "python", 'test "$1" = -c')

        done = make(clone, "setup", f"PYTHON={bare}")

        assert done.returncode
        assert said(done) == [
            "Python's venv module is missing (Debian: apt install python3-venv)."
        ]
        assert not (clone / ".venv").exists()

    def test_compiler_and_headers_are_named(self, clone: Path) -> None:
        script(clone / ".venv/bin/python", "case $* in *mysql*) exit 1; esac")

        done = make(clone, "setup-mysql")

        assert done.returncode
        assert "default-libmysqlclient-dev pkg-config gcc" in said(done)[-1]

    @pytest.mark.parametrize("suite", SUITES)
    def test_programs_are_looked_for_first(self, suite: str) -> None:
        [words] = re.findall(rf"^{suite}: (.*?)(?: ##|$)", MAKEFILE, re.M)
        assert words.split()[0] == f"needs-{suite.removeprefix('test-').split('-')[0]}"

    def test_programs_are_named_with_their_packages(self, clone: Path) -> None:
        needs = "no-such-program=its-package sh=dash /no/such/library.so=another"

        done = make(clone, "needs-cluster", f"NEEDS_cluster={needs}")

        assert done.returncode
        assert said(done) == [
            "Missing: no-such-program library.so"
            " (Debian: apt install its-package another)."
        ]


class TestSecondTime:
    def test_asks_no_network(self, clone: Path) -> None:
        python = script(clone / ".venv/bin/python", "echo installs; exit 1")
        for stamp in (".installed", ".installed-dev", ".installed-mysql"):
            (python.parents[1] / stamp).touch()

        done = make(clone, "setup", "setup-dev", "setup-mysql")

        assert done.returncode == 0
        assert "installs" not in done.stdout + done.stderr

    def test_installs_what_has_changed(self, clone: Path) -> None:
        python = script(clone / ".venv/bin/python", "echo installs; exit 1")
        stamp = python.parents[1] / ".installed"
        stamp.touch()
        os.utime(stamp, (0, 0))

        assert "installs" in make(clone, "setup").stdout


class TestPort:
    def test_in_use_is_said_in_one_line(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = ask(port=str(port))

        assert done.returncode == 1
        assert done.stderr == (
            f"Nobody can listen at 127.0.0.1:{port} (Address already in use)."
            f" Name another port: PORT={port + 1}\n"
        )

    def test_that_is_none_is_said_too(self) -> None:
        assert "PORT is not a number" in ask(port="http").stderr

    @pytest.mark.parametrize("port", ["0", "65536", "70000", "-1", "٨٠٨٠"])
    def test_that_no_server_can_have_is_said(self, port: str) -> None:
        done = ask(port=port)

        assert done.returncode == 1
        assert done.stderr == f"PORT is not a number from 1 to 65535: {port}\n"

    def test_that_is_free_is_no_news(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

        done = ask(port=str(port))

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    @pytest.mark.parametrize("target", ["run", "serve"])
    def test_is_asked_before_anything_is_done(self, target: str) -> None:
        recipe = (ROOT / "Makefile").read_text().partition(f"\n{target}: ")[2]

        assert recipe.splitlines()[1] == "\t@python -m mechanic_shop.server.port"


def ask(*, port: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mechanic_shop.server.port"],
        cwd=ROOT,
        env={**os.environ, "HOST": "127.0.0.1", "PORT": port},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

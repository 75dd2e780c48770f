"""``make update`` takes everything over that a newer version brings."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .support.server import ROOT

FILES = ("Makefile", "requirements.txt", "deploy/shop", "deploy/reload")
TOOLS = "/usr/bin:/bin"
#: Writes down what it is called with, in place of installing and migrating.
PYTHON = '#!/bin/sh\nprintf "%s\\n" "$*" >>"$LOG"\n'
#: systemctl in a container, which nobody has booted.
SYSTEMCTL = "#!/bin/sh\necho Failed to connect to bus: Host is down >&2\nexit 1\n"
#: systemctl where the server is a service that runs from here, and perhaps the worker.
BOOTED = """#!/bin/sh
echo "$*" >>"$HOME/systemctl.log"
case "$*" in
    show*) pwd;;
    *is-active*worker*) test -e "$HOME/worker";;
esac
"""
#: Two processes of the server's name; each writes its name when it is told to reload.
SERVER = """\
import os, signal, sys, time
child = os.fork()
name = "parent" if child else "worker"
signal.signal(signal.SIGHUP, lambda *_: print(name, flush=True))
print("ready", flush=True)
if child:
    signal.signal(signal.SIGTERM, lambda *_: (os.kill(child, 9), sys.exit()))
while True:
    time.sleep(0.05)
"""


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=n@example.com", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / ".gitignore").write_text(".venv\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=First")
    return folder


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    clone = tmp_path / "clone"
    python = clone / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    (clone / ".venv/.installed").touch()
    return clone


def release(origin: Path, path: str, tag: str) -> None:
    file = origin / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("# newer\n")
    git(origin, "add", ".")
    git(origin, "commit", "--quiet", f"--message={tag}")
    git(origin, "tag", tag)


@pytest.fixture(autouse=True)
def systemctl(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/systemctl").write_text(SYSTEMCTL)
    (tmp_path / "bin/systemctl").chmod(0o755)


def update(clone: Path, *arguments: str) -> tuple[str, list[str]]:
    """Return what was printed, and what Python was called with."""
    log = clone.parent / "python.log"
    log.unlink(missing_ok=True)
    done = subprocess.run(
        ["make", "update", *arguments],
        cwd=clone,
        env={
            "PATH": f"{clone.parent}/bin:{TOOLS}",
            "HOME": str(clone.parent),
            "LOG": str(log),
            "SHOP_ENV": str(clone / "none"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout, log.read_text().splitlines()


@pytest.fixture
def server(clone: Path) -> Iterator[Path]:
    """A server that `make serve` has started; the file has what it was told."""
    output = clone.parent / "server.log"
    with output.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, "mechanic_shop.server"], stdout=log
        )
    try:
        wait_for(output, "ready\nready\n")
        (clone / ".venv/serve-8123.pid").write_text(f"{process.pid}\n")
        yield output
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def wait_for(file: Path, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in file.read_text():
        assert time.monotonic() < deadline, file.read_text()
        time.sleep(0.02)


class TestUpdate:
    STEPS = (
        "manage.py check --deploy",
        "manage.py migrate",
        "manage.py collectstatic --noinput --verbosity 0",
        "manage.py refresh_copies",
    )

    def test_does_every_step_in_its_order(self, origin: Path, clone: Path) -> None:
        release(origin, "new.py", "v2")

        said, called = update(clone)

        assert (clone / "new.py").exists()
        assert called == list(self.STEPS)
        assert "No server runs from this folder." in said

    def test_installs_what_has_changed(self, origin: Path, clone: Path) -> None:
        release(origin, "requirements.txt", "v2")
        os.utime(clone / ".venv/.installed", (0, 0))

        _, called = update(clone)

        assert "install" in called[0]
        assert called[-4:] == list(self.STEPS)

    def test_takes_the_version_that_is_named(self, origin: Path, clone: Path) -> None:
        release(origin, "second.py", "v2")
        release(origin, "third.py", "v3")

        update(clone, "VERSION=v2")

        assert (clone / "second.py").exists()
        assert not (clone / "third.py").exists()

    def test_reloads_the_parent_and_no_worker(
        self, origin: Path, clone: Path, server: Path
    ) -> None:
        release(origin, "new.py", "v2")

        said, _ = update(clone)

        wait_for(server, "parent\n")
        assert "worker" not in server.read_text()
        assert "Reloaded the server on port 8123" in said
        assert "has changed" not in said

    @pytest.mark.parametrize("has_worker", [True, False])
    def test_restarts_the_worker_that_is_a_service(
        self, origin: Path, clone: Path, has_worker: bool
    ) -> None:
        (clone.parent / "bin/systemctl").write_text(BOOTED)
        if has_worker:
            (clone.parent / "worker").touch()
        release(origin, "new.py", "v2")

        said, _ = update(clone)

        called = (clone.parent / "systemctl.log").read_text().splitlines()
        assert "reload mechanic-shop.service" in called
        assert ("restart mechanic-shop-worker.service" in called) == has_worker
        assert ("No mail is sent" in said) != has_worker

    def test_says_when_a_reload_is_not_enough(
        self, origin: Path, clone: Path, server: Path
    ) -> None:
        release(origin, "mechanic_shop/server/new.py", "v2")

        said, _ = update(clone)

        assert "stop it and start it again" in said

    def test_leaves_other_processes_alone(self, origin: Path, clone: Path) -> None:
        other = subprocess.Popen(["sleep", "60"])
        try:
            file = clone / ".venv/serve-8123.pid"
            file.write_text(f"{other.pid}\n")
            release(origin, "new.py", "v2")

            said, _ = update(clone)

            assert other.poll() is None
            assert "No server runs" in said
            assert not file.exists()
        finally:
            other.kill()
            other.wait()

    def test_is_what_is_documented(self) -> None:
        for page in ("README.md", "docs/operations.md"):
            assert "make" in (text := (ROOT / page).read_text())
            assert " update" in text
            assert "git pull" not in text
            assert "kill -HUP" not in text

"""A process beside a server, which runs management commands one after the other.

Starting Python and Django costs more than most of the commands themselves. This
process pays for it once; ``python -m tests.support.manage_process`` starts it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import IO

import django
from django.core.management import CommandError, call_command
from django.db import connections

ROOT = Path(__file__).resolve().parents[2]


class CommandFailed(RuntimeError):
    """A management command ended with an error, which this is the text of."""


class ManageProcess:
    """Commands with the settings and on the database that the environment names."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def run(self, *command: str) -> str:
        """Run one command, and return what it has written.

        :raises CommandFailed: if it fails
        """
        process = self._process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise CommandFailed(f"The process is gone:\n{self._log.read_text()}")
        written, error = json.loads(answer)
        if error:
            raise CommandFailed(f"{written}{error}")
        return str(written)

    def close(self) -> None:
        """Let the process end, and wait until it has."""
        if self._process is not None:
            self._process.communicate()

    def _start(self) -> subprocess.Popen[str]:
        with self._log.open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.support.manage_process"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )


# --- The process ----------------------------------------------------------------------


def run(command: list[str]) -> tuple[str, str]:
    """Return what a command has written, and its error, if there was one."""
    written = StringIO()
    try:
        with redirect_stdout(written):
            call_command(*command)
    except CommandError as error:
        return written.getvalue(), str(error)
    except Exception:
        return written.getvalue(), traceback.format_exc()
    finally:
        # The next command must find the database as a new process would.
        connections.close_all()
    return written.getvalue(), ""


def serve(commands: IO[str], answers: IO[str]) -> None:
    """Run commands until no more come, a line of JSON for each."""
    django.setup()
    for line in commands:
        answers.write(json.dumps(run(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)

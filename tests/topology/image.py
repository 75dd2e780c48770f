"""The image that ``deploy/Dockerfile`` describes, as a folder of this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from ..support.server import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
IGNORED = ROOT / ".dockerignore"


class Instruction(NamedTuple):
    """One line of a Dockerfile, with what continues it."""

    name: str
    words: str

    @property
    def list(self) -> list[str]:
        """The words of the exec form, which no shell reads.

        :raises ValueError: if it is another form
        """
        words: list[str] = json.loads(self.words)
        return words


def instructions() -> list[list[Instruction]]:
    """Return the instructions of each stage, that of the image last."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.M)
    lines = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    stages: list[list[Instruction]] = []
    for line in filter(str.strip, lines):
        name, _, words = line.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append(Instruction(name, words.strip()))
    return stages


def copied(stage: list[Instruction]) -> Iterator[str]:
    """Name what a stage takes from the repository."""
    for name, words in stage:
        if name == "COPY" and not words.startswith("--from"):
            *sources, _ = words.split()
            yield from sources


def given() -> list[Path]:
    """List what .dockerignore lets a build see of the top folder."""
    return [path for path in ROOT.iterdir() if not is_ignored(path.name)]


def is_ignored(name: str) -> bool:
    """The last rule that matches decides; ``**/`` matches in the top folder, too."""
    is_ignored = False
    for rule in _rules():
        if fnmatchcase(name, rule.removeprefix("!").removeprefix("**/")):
            is_ignored = not rule.startswith("!")
    return is_ignored


def _rules() -> list[str]:
    lines = IGNORED.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def build(folder: Path) -> None:
    """Do natively what the image's own stage does, and let nobody write there."""
    *_, stage = instructions()
    everywhere = [rule[3:] for rule in _rules() if rule.startswith("**/")]
    for source in given():
        if source.is_dir():
            ignore = shutil.ignore_patterns(*everywhere)
            shutil.copytree(source, folder / source.name, ignore=ignore)
        else:
            shutil.copy2(source, folder / source.name)
    [prepare] = (
        words for name, words in stage if name == "RUN" and "collectstatic" in words
    )
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **variables(stage),
    }
    subprocess.run(["/bin/sh", "-ec", prepare], cwd=folder, env=environment, check=True)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


def variables(stage: list[Instruction]) -> dict[str, str]:
    """Return what a stage sets for its programs, but for the path."""
    words = " ".join(words for name, words in stage if name == "ENV")
    pairs = (word.split("=", 1) for word in words.split())
    return {name: value for name, value in pairs if name != "PATH"}


def command() -> list[str]:
    """Return the image's command with this Python, under the rights of a container.

    Root loses its privileges, among them that of writing where nobody may. Whoever is
    not root has none.
    """
    *_, stage = instructions()
    [words] = (each.list for each in stage if each.name == "CMD")
    words = [sys.executable, *words[1:]]
    if os.geteuid() != 0:
        return words
    without = ("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
    return ["setpriv", *without, *words]

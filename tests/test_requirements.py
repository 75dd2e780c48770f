"""What is installed is written down to the last byte, and fits what was asked for."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distribution, distributions

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .support.server import ROOT

#: Which file a list of requirements becomes.
LOCKED = {
    "product": "requirements.txt",
    "mysql": "requirements-mysql.txt",
    "dev": "requirements-dev.txt",
    "clients": "requirements-clients.txt",
    "bench": "benchmarks/requirements.txt",
}
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;\\]+)", re.M)
EXTRAS = re.compile(r"^([A-Za-z0-9._-]+)(?:\[([a-z,]+)\])?==", re.M)
INCLUDED = re.compile(r"^-r (\w+)\.in$", re.M)
TRY_LOCKS = (ROOT / ".ci" / "locks").read_text()
WORKFLOW = ROOT / ".github" / "workflows" / "check.yml"

Pins = dict[str, str]


def pins_of(text: str) -> Pins:
    return {canonicalize_name(name): version for name, version in PIN.findall(text)}


def extras_of(text: str) -> dict[str, set[str]]:
    """Return which extras a lock file names, by the package that has them."""
    return {
        canonicalize_name(name): set(filter(None, extras.split(",")))
        for name, extras in EXTRAS.findall(text)
    }


def wanted_extras(name: str, own_extras: set[str]) -> list[Requirement]:
    """Return what a package asks for with extras, if it has these extras itself."""
    asked = map(Requirement, distribution(name).requires or ())
    return [
        wanted
        for wanted in asked
        if wanted.extras
        and (
            wanted.marker is None
            or any(wanted.marker.evaluate({"extra": own}) for own in {"", *own_extras})
        )
    ]


def asked_for(name: str) -> Pins:
    text = (ROOT / "requirements" / f"{name}.in").read_text()
    pins = pins_of(text)
    for included in INCLUDED.findall(text):
        pins |= asked_for(included)
    return pins


class TestLockedFile:
    @pytest.mark.parametrize("name", LOCKED)
    def test_has_every_version_that_was_asked_for(self, name: str) -> None:
        locked = pins_of((ROOT / LOCKED[name]).read_text())
        assert asked_for(name).items() <= locked.items()

    @pytest.mark.parametrize("path", LOCKED.values())
    def test_has_hashes_for_each_package_and_names_no_place(self, path: str) -> None:
        text = (ROOT / path).read_text()
        blocks = re.split(r"\n(?=[a-z])", text.strip())

        assert blocks
        assert all("--hash=sha256:" in block for block in blocks)
        assert "://" not in text

    def test_names_every_extra_that_a_package_asks_for(self) -> None:
        # Without it, pip 23.2.1 and older refuse the file as soon as the package with
        # the extra has a newer release.
        here = {canonicalize_name(found.name) for found in distributions()}
        missing = []
        for path in LOCKED.values():
            locked = extras_of((ROOT / path).read_text())
            for name in locked.keys() & here:
                for wanted in wanted_extras(name, locked[name]):
                    named = locked[canonicalize_name(wanted.name)]
                    missing += [(path, str(wanted))] * (not wanted.extras <= named)

        assert missing == []

    def test_is_tried_with_old_versions_of_pip(self) -> None:
        by_hand = {path for path in LOCKED.values() if "/" in path}
        by_name = {path.name for path in ROOT.glob("requirements*.txt")}

        assert by_name | by_hand == set(LOCKED.values())
        assert f"LOCKS=(requirements*.txt {' '.join(by_hand)})" in TRY_LOCKS
        assert "make test-locks" in (ROOT / ".ci" / "run").read_text()

    def test_agrees_with_the_others(self) -> None:
        product = pins_of((ROOT / "requirements.txt").read_text())
        for path in LOCKED.values():
            other = pins_of((ROOT / path).read_text())
            common = product.keys() & other.keys()
            assert {name: other[name] for name in common} == {
                name: product[name] for name in common
            }

    @pytest.mark.parametrize("name", LOCKED)
    def test_is_asked_for_by_exact_versions(self, name: str) -> None:
        text = (ROOT / "requirements" / f"{name}.in").read_text()
        lines = [line for line in text.splitlines() if line and line[0] not in "#-"]

        assert len(lines) == len(pins_of(text))


class TestWorkflow:
    def test_calls_targets_that_there_are(self) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
        jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
        steps = [step for job in jobs.values() for step in job["steps"]]
        called = {
            word
            for step in steps
            for word in re.findall(r"^make ([a-z-]+)$", step.get("run", ""), re.M)
        }

        assert called
        assert called | set(jobs["whole"]["strategy"]["matrix"]["target"]) <= targets

    def test_tries_every_python_that_is_promised(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]

        tried = jobs["test"]["strategy"]["matrix"]["python"]
        assert tried == ["3.11", "3.12", "3.13"]
        assert re.findall(r"^ +(3\.\d+)\) echo", TRY_LOCKS, re.M) == tried
        assert project["tool"]["ruff"]["target-version"] == "py311"

"""The units of systemd name what is there, and let no process do more than its work."""

from __future__ import annotations

import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
from django.core.management import get_commands

from .support.server import ROOT

FOLDER = ROOT / "deploy" / "systemd"
SERVICES = sorted(path.name for path in FOLDER.glob("*.service"))
TIMERS = sorted(path.name for path in FOLDER.glob("*.timer"))
HOME = "/opt/mechanic-shop"
PYTHON = f"{HOME}/.venv/bin/python "
#: By systemd's own measure, which goes from 0 to 100 and calls less than 50 "OK".
EXPOSURE = "20"

has_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"
)


def unit(name: str) -> ConfigParser:
    # Some options may be given more than once; the last one will do here.
    parser = ConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(FOLDER / name)
    return parser


class TestServices:
    @pytest.mark.parametrize("name", SERVICES)
    def test_run_what_there_is(self, name: str) -> None:
        command = unit(name)["Service"]["ExecStart"].removeprefix(PYTHON).split()

        match command:
            case ["-m", module]:
                assert (ROOT / module.replace(".", "/") / "__main__.py").exists()
            case ["manage.py", subcommand, *_]:
                assert subcommand in get_commands()
            case _:
                pytest.fail(f"{command} is none of ours")

    @pytest.mark.parametrize("name", SERVICES)
    def test_know_where_the_secrets_are_and_hold_none(self, name: str) -> None:
        service = unit(name)["Service"]

        assert service["EnvironmentFile"] == "/etc/mechanic-shop/env"
        assert service["User"] == "mechanic-shop"
        assert "SECRET" not in (FOLDER / name).read_text()

    @has_systemd
    @pytest.mark.parametrize("name", SERVICES)
    def test_may_do_little_beside_their_work(self, name: str) -> None:
        done = subprocess.run(
            [
                *("systemd-analyze", "security", "--offline=true", "--no-pager"),
                *(f"--threshold={EXPOSURE}", str(FOLDER / name)),
            ],
            capture_output=True,
            text=True,
        )

        assert done.returncode == 0, f"{done.stdout}{done.stderr}"


class TestTimers:
    @pytest.mark.parametrize("name", TIMERS)
    def test_start_a_service_at_a_time(self, name: str) -> None:
        assert name.replace(".timer", ".service") in SERVICES
        assert unit(name)["Timer"]["OnCalendar"]
        assert unit(name)["Install"]["WantedBy"] == "timers.target"


class TestUnits:
    @has_systemd
    def test_are_understood_by_systemd(self, tmp_path: Path) -> None:
        for file in FOLDER.iterdir():
            # It wants to see the programs that are started, which are not here.
            text = file.read_text().replace(PYTHON, "/bin/true ")
            (tmp_path / file.name).write_text(text.replace(HOME, str(tmp_path)))

        done = subprocess.run(
            [
                *("systemd-analyze", "verify", "--man=false", "--recursive-errors=no"),
                *(str(tmp_path / name) for name in (*SERVICES, *TIMERS)),
            ],
            capture_output=True,
            text=True,
        )

        ours = [line for line in done.stderr.splitlines() if "mechanic-shop" in line]
        assert ours == []
        assert done.returncode == 0

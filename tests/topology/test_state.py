"""Nothing of the shop is in a server: neither in its memory nor on its disk.

What servers share, and that they do not need to remember anything, is in
``test_two_servers.py``. Here is what they could have written.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.conf import settings

from mechanic_shop.server import probe

from ..reliability.load import Answer, counted
from ..reliability.test_production_form import Browser
from ..support.server import Server
from .front import Front
from .test_two_servers import IMPORT, upload_of

#: A file of more than this is written down while it arrives.
IN_MEMORY_BYTES = settings.FILE_UPLOAD_MAX_MEMORY_SIZE


def written_to(pid: int) -> set[Path]:
    """Name the files that a process has open to write into."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        flags = Path(f"/proc/{pid}/fdinfo/{link.name}").read_text()
        mode = int(flags.partition("flags:")[2].split()[0], 8)
        target = link.resolve()
        if mode & (os.O_WRONLY | os.O_RDWR) and target.is_file():
            found.add(target)
    return found


def written_since(moment: float, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.stat().st_mtime > moment]


def everything_that_takes_files(front: Front, server: Server) -> list[Answer]:
    """Do on one server what could leave something behind."""
    browser = Browser(front.direct(server))
    browser.sign_in()
    # Large enough to be written down while it arrives, and refused for its content.
    large = upload_of("x" * (IN_MEMORY_BYTES + 1), browser.csrf)
    small = upload_of("Part number,Name,Cost\r\nSTATE,Pad,1\r\n", browser.csrf)
    return [
        browser.get("//admin/"),
        browser.get("//static/favicon.svg"),
        browser.get("//admin/inventory/part/export/csv/"),
        browser.get("//admin/inventory/part/export/xlsx/"),
        browser.post(IMPORT, *large),
        browser.post(IMPORT, *small),
        browser.get("//api/docs/"),
    ]


class TestServer:
    def test_leaves_nothing_in_its_program_and_its_temporary_folder(
        self, front: Front, program: Path
    ) -> None:
        begin = time.time()

        for server in front.servers:
            answers = everything_that_takes_files(front, server)
            assert counted(answers) == {200: len(answers)}

        assert written_since(begin, program) == []
        for server in front.servers:
            temporary = Path(server.environment["TMPDIR"])
            assert list(temporary.iterdir()) == []

    def test_writes_into_its_log_only(self, front: Front) -> None:
        for server in front.servers:
            everything_that_takes_files(front, server)
            log = server.log_file.resolve()
            pids = [server.process.pid, *server.worker_pids()]

            assert [written_to(pid) for pid in pids] == [{log}] * len(pids)

    def test_has_no_privilege(self, front: Front) -> None:
        for server in front.servers:
            for pid in (server.process.pid, *server.worker_pids()):
                status = Path(f"/proc/{pid}/status").read_text()
                facts = dict(line.split(":\t", 1) for line in status.splitlines())
                assert int(facts["CapEff"], 16) == 0
                assert os.geteuid() != 0 or facts["NoNewPrivs"] == "1"

    def test_could_not_write_into_its_program(self, program: Path) -> None:
        modes = [path.stat().st_mode & 0o222 for path in program.rglob("*")]

        assert len(modes) > 500
        assert set(modes) == {0}


class TestProbe:
    @pytest.fixture
    def environment(self, front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("PORT", "ALLOWED_HOSTS"):
            monkeypatch.setenv(name, front.servers[0].environment[name])

    def test_finds_the_server_of_its_environment(self, environment: None) -> None:
        assert probe.status_of_server() == 200

    def test_calls_it_by_the_first_of_its_names(
        self, environment: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALLOWED_HOSTS", "a.example, b.example")

        assert probe.status_of_server() == 400

    def test_says_where_there_is_none(
        self, environment: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PORT", "1")

        assert probe.status_of_server() == 0

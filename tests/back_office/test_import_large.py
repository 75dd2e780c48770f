"""Large files: a worker plans and imports them, and may be killed at any moment."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from inventory import services as inventory_services
from inventory.models import Part, StockMovement
from mechanic_shop.accounts.models import User
from mechanic_shop.core.models import QueuedTask
from mechanic_shop.spreadsheets import plans, services, tasks
from mechanic_shop.spreadsheets.cells import SMALL
from mechanic_shop.spreadsheets.models import Upload
from tests.support.back_office import browser_of, make_part, make_user, text_of, url

pytestmark = pytest.mark.django_db

IMPORT = "/admin/inventory/part/import/"
CONFIRM = "/admin/inventory/part/process_import/"
HEAD = "Part number,Name,Cost,Quantity in stock"
Worker = Callable[[], int]


class Killed(BaseException):
    """The worker's process ends here, as after ``kill -9``."""


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call six rows a large file, and import three at a time."""
    monkeypatch.setattr(services, "SMALL", replace(SMALL, rows=5))
    monkeypatch.setattr(tasks, "CHUNK_ROWS", 3)
    monkeypatch.setattr(plans, "CHUNK_ROWS", 3)


def file_of(rows: int) -> SimpleUploadedFile:
    lines = [HEAD, *(f"P-{number},Pad,1.50,{number + 1}" for number in range(rows))]
    return SimpleUploadedFile("parts.csv", "\n".join(lines).encode())


def upload(client: Client, file: SimpleUploadedFile) -> str:
    """Upload a file; return the path of its page."""
    browser = {"accept": "text/html"}
    return str(client.post(IMPORT, {"import_file": file}, headers=browser)["Location"])


def confirm(client: Client, path: str) -> Any:
    [token] = re.findall(r'name="token" value="([^"]+)"', text_of(client.get(path)))
    return client.post(CONFIRM, {"token": token})


def state_of(client: Client, path: str) -> str:
    [state] = re.findall(r'data-import-state="(\w+)"', text_of(client.get(path)))
    return str(state)


def lose_lease() -> None:
    """Let the time pass after which a killed worker's task is free again."""
    QueuedTask.objects.filter(state="waiting").update(due_at=timezone.now())


def kill(*_: Any) -> None:
    raise Killed


def kill_worker_after(
    rows: int, monkeypatch: pytest.MonkeyPatch, run_queue: Worker
) -> None:
    add_part = inventory_services.add_part
    added: list[Any] = []

    def add_until_killed(**values: Any) -> Part:
        if len(added) == rows:
            raise Killed
        added.append(values)
        return add_part(**values)

    with monkeypatch.context() as patch:
        patch.setattr(inventory_services, "add_part", add_until_killed)
        with pytest.raises(Killed):
            run_queue()


class TestLargeFile:
    def test_is_planned_by_a_worker(self, desk: Client, run_queue: Worker) -> None:
        path = upload(desk, file_of(6))

        assert state_of(desk, path) == "planning"
        run_queue()
        page = desk.get(path)
        assert dict(page.context["counts"])["New parts"] == 6
        assert not Part.objects.exists()

    def test_is_imported_by_a_worker(self, desk: Client, run_queue: Worker) -> None:
        path = upload(desk, file_of(8))
        run_queue()

        answer = confirm(desk, path)

        assert answer["Location"] == path
        assert state_of(desk, path) == "importing"
        assert not Part.objects.exists()
        run_queue()
        assert state_of(desk, path) == "done"
        assert Part.objects.count() == 8
        assert "8 parts added" in text_of(desk.get(path))

    def test_shows_how_far_it_is(self, desk: Client, run_queue: Worker) -> None:
        path = upload(desk, file_of(8))
        QueuedTask.objects.update(progress=3, total=8, attempts=1)

        page = text_of(desk.get(path))

        assert "3 of 8 rows" in page
        assert 'http-equiv="refresh"' in page

    def test_is_not_kept_afterwards(self, desk: Client, run_queue: Worker) -> None:
        path = upload(desk, file_of(6))
        run_queue()
        confirm(desk, path)
        run_queue()

        assert bytes(Upload.objects.get().content) == b""

    def test_of_just_the_limit_is_in_at_once(self, desk: Client) -> None:
        path = upload(desk, file_of(5))

        confirm(desk, path)

        assert Part.objects.count() == 5

    def test_over_all_limits_is_refused(
        self, desk: Client, run_queue: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = upload(desk, file_of(20_001))
        run_queue()

        assert state_of(desk, path) == "unreadable"
        assert "more than 20,000 rows" in text_of(desk.get(path))

    def test_is_shown_to_nobody_else(self, desk: Client) -> None:
        path = upload(desk, file_of(6))
        other = browser_of(make_user("other", is_superuser=True))

        assert other.get(path)["Location"] == IMPORT

    def test_is_imported_once_if_confirmed_twice(
        self, desk: Client, run_queue: Worker
    ) -> None:
        path = upload(desk, file_of(6))
        run_queue()
        page = desk.get(path)
        token = page.context["confirm_form"]["token"].value()

        for _ in range(2):
            desk.post(CONFIRM, {"token": token})
        run_queue()

        assert QueuedTask.objects.filter(kind="import_rows").count() == 1
        assert Part.objects.count() == 6


class TestKilledWorker:
    @pytest.mark.parametrize("rows", [0, 1, 3, 4, 7])
    def test_leaves_whole_chunks_which_are_not_repeated(
        self,
        rows: int,
        desk: Client,
        run_queue: Worker,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path = upload(desk, file_of(8))
        run_queue()
        confirm(desk, path)

        kill_worker_after(rows, monkeypatch, run_queue)

        assert Part.objects.count() == rows // 3 * 3
        lose_lease()
        run_queue()
        assert state_of(desk, path) == "done"
        assert Part.objects.count() == 8
        assert sorted(StockMovement.objects.values_list("delta", flat=True)) == [
            *range(1, 9)
        ]

    def test_while_planning_is_followed_by_another(
        self, desk: Client, run_queue: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = upload(desk, file_of(6))
        with monkeypatch.context() as patch:
            patch.setattr(tasks, "make_plan", kill)
            with pytest.raises(Killed):
                run_queue()

        lose_lease()
        run_queue()

        assert dict(desk.get(path).context["counts"])["New parts"] == 6


class TestChangeMeanwhile:
    def test_before_the_first_row_asks_again(
        self, boss: User, desk: Client, run_queue: Worker
    ) -> None:
        path = upload(desk, file_of(8))
        run_queue()
        confirm(desk, path)
        make_part(boss, "P-7")

        run_queue()

        assert Part.objects.count() == 1
        assert "Something has changed since you looked." in text_of(desk.get(path))
        confirm(desk, path)
        run_queue()
        assert Part.objects.count() == 8

    def test_later_stops_after_whole_chunks(
        self,
        boss: User,
        desk: Client,
        run_queue: Worker,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path = upload(desk, file_of(8))
        run_queue()
        confirm(desk, path)
        kill_worker_after(3, monkeypatch, run_queue)
        make_part(boss, "P-7")
        lose_lease()

        run_queue()

        assert state_of(desk, path) == "stopped"
        assert Part.objects.count() == 7
        assert "The 6 rows above row 8 were imported" in text_of(desk.get(path))
        again = upload(desk, file_of(8))
        run_queue()
        counts = dict(desk.get(again).context["counts"])
        assert (counts["Unchanged"], counts["Changed parts"]) == (6, 1)

    def test_of_a_permission_stops_the_import(
        self, desk: Client, boss: User, run_queue: Worker
    ) -> None:
        path = upload(desk, file_of(6))
        run_queue()
        confirm(desk, path)
        User.objects.filter(pk=boss.pk).update(is_superuser=False)

        run_queue()

        assert not Part.objects.exists()


class TestList:
    def test_has_the_way_to_the_import(self, desk: Client) -> None:
        assert IMPORT in text_of(desk.get(url(Part, "changelist")))

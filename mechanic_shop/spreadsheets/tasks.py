"""Large files: a worker plans and imports them.

An import is done in chunks of rows, each in a transaction that also notes how far it
has come. A worker that is killed leaves whole chunks behind, and the next one goes on
after them: ``docs/adr/0029``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import tablib  # type: ignore[import-untyped]
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from mechanic_shop.core.errors import ShopError
from mechanic_shop.core.models import QueuedTask
from mechanic_shop.core.outbox import LONG, TaskDropped, report, task
from mechanic_shop.core.transactions import retry_on_deadlock, unit_of_work

from .cells import UnreadableFile
from .models import Upload
from .plans import CHUNK_ROWS
from .registry import get_resource
from .resource import PlanChanged
from .services import log_import, make_plan, read_upload, set_plan

State = Upload.State


@task("plan_import", "Reading of a spreadsheet", queue=LONG)
def plan_upload(queued: QueuedTask) -> None:
    """Plan a file; a second time does no harm."""
    upload = get_upload(queued, State.PLANNING)
    try:
        dataset = read_upload(upload)
    except UnreadableFile as error:
        finish(upload, State.UNREADABLE, str(error))
        return
    note = partial(note_progress, queued, len(dataset))
    set_plan(upload, make_plan(upload, dataset, note))
    upload.save(update_fields=["plan", "state", "content"])


@task("import_rows", "Import of a spreadsheet", queue=LONG)
def import_rows(queued: QueuedTask) -> None:
    """Import the rows of a confirmed plan that were not imported yet."""
    upload = get_upload(queued, State.IMPORTING)
    dataset = read_upload(upload)
    if queued.progress == 0 and not is_as_planned(upload, queued, dataset):
        return
    for start in range(queued.progress, len(dataset), CHUNK_ROWS):
        try:
            import_chunk(upload, queued, dataset, start)
        except (PlanChanged, ShopError, ValidationError, IntegrityError) as error:
            finish(upload, State.STOPPED, why_stopped(dataset, start, error))
            return
    finish(upload, State.DONE, upload.plan["summary"])


def get_upload(queued: QueuedTask, state: str) -> Upload:
    """:raises TaskDropped: if the file is gone, or was dealt with already"""
    name = queued.payload["upload"]
    upload = Upload.objects.filter(name=name, state=state).first()
    if upload is None:
        raise TaskDropped("The file is gone, or it was imported already.")
    return upload


def note_progress(queued: QueuedTask, total: int, done: int) -> None:
    """Show how far the planning is; an import begins at its first row all the same."""
    report(queued, progress=done, total=total)


def is_as_planned(upload: Upload, queued: QueuedTask, dataset: tablib.Dataset) -> bool:
    """Make the plan once more; if it is another one, ask for a confirmation of it."""

    def keep_lease(done: int) -> None:
        report(queued, progress=0, total=len(dataset))

    plan = make_plan(upload, dataset, keep_lease)
    if plan["fingerprint"] == upload.plan["fingerprint"] and plan["can_confirm"]:
        return True
    set_plan(upload, {**plan, "has_changed": True})
    upload.save(update_fields=["plan", "state", "content"])
    return False


@retry_on_deadlock
@unit_of_work
def import_chunk(
    upload: Upload, queued: QueuedTask, dataset: tablib.Dataset, start: int
) -> None:
    """Import some rows and note that it is done, both or neither.

    :raises PlanChanged: if the rows would now change something else
    """
    rows = tablib.Dataset(headers=dataset.headers)
    rows.extend(dataset[start : start + CHUNK_ROWS])
    confirmed = upload.plan["chunks"][start // CHUNK_ROWS]
    resource = get_resource(upload.target)(user=upload.user, confirmed=confirmed)
    log_import(resource.run(rows), user=upload.user)
    report(queued, progress=start + len(rows), total=len(dataset))


def why_stopped(dataset: tablib.Dataset, start: int, error: Exception) -> str:
    """Say which rows are in, and that the file can be uploaded again."""
    first = dataset[start][0]
    done = f"The {start:,} rows above row {first} were imported" if start else "No row"
    done += ", the others were not." if start else " was imported."
    return (
        f"{message_of(error)} {done} Upload the file once more: what is"
        " imported stays as it is."
    )


def message_of(error: Any) -> str:
    if isinstance(error, ShopError):
        return error.message
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    if isinstance(error, PlanChanged):
        return "Something has changed meanwhile."
    return "Somebody changed this just now."


def finish(upload: Upload, state: str, message: str) -> None:
    """Note what became of a file, which is not kept any longer."""
    upload.state, upload.message, upload.content = state, message[:500], b""
    upload.save(update_fields=["state", "message", "content"])

"""The two steps of an import: plan what a file would change, then do exactly that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tablib  # type: ignore[import-untyped]
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.utils import timezone

from mechanic_shop.core.errors import NotFound
from mechanic_shop.core.models import QueuedTask
from mechanic_shop.core.outbox import enqueue
from mechanic_shop.core.transactions import retry_on_deadlock, unit_of_work

from .cells import LARGE, SMALL, Limits, OverLimit
from .models import Upload
from .plans import describe
from .registry import get_resource
from .resource import ImportResult
from .tables import read_table

if TYPE_CHECKING:
    from mechanic_shop.accounts.models import User


def plan_import(*, user: User, target: str, suffix: str, content: bytes) -> Upload:
    """Keep a file, with the plan of what importing it would change.

    A worker plans a large file; until then the state is ``PLANNING``.

    :raises UnreadableFile: if it is no table of such rows
    """
    Upload.objects.expired(timezone.now()).delete()
    upload = Upload(user=user, target=target, suffix=suffix, content=content)
    try:
        dataset = read_upload(upload, SMALL)
    except OverLimit:
        return _plan_later(upload)
    set_plan(upload, make_plan(upload, dataset))
    upload.save()
    return upload


@unit_of_work
def _plan_later(upload: Upload) -> Upload:
    upload.task = _enqueue(upload, "plan_import")
    upload.save()
    return upload


def _enqueue(upload: Upload, kind: str) -> QueuedTask:
    many = get_resource(upload.target).noun[1]
    payload = {"upload": upload.name}
    return enqueue(kind=kind, payload=payload, subject=many.capitalize())


def make_plan(
    upload: Upload,
    dataset: tablib.Dataset,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Say what importing the rows would change now."""
    resource = get_resource(upload.target)(user=upload.user, on_progress=on_progress)
    return describe(resource, resource.run(dataset))


def set_plan(upload: Upload, plan: dict[str, Any]) -> None:
    """Note a plan; a file that cannot be imported is not kept."""
    upload.plan, upload.state = plan, Upload.State.PLANNED
    if not plan["can_confirm"]:
        upload.content = b""


def read_upload(upload: Upload, limits: Limits = LARGE) -> tablib.Dataset:
    """:raises UnreadableFile: if the file is no table of such rows"""
    resource = get_resource(upload.target)
    return read_table(
        bytes(upload.content),
        upload.suffix,
        resource.headings(),
        resource.required,
        limits,
    )


@retry_on_deadlock
@unit_of_work
def import_upload(
    *, name: str, user: User, target: str, confirmed: str
) -> ImportResult | None:
    """Import the rows, log the import and delete the file, in one transaction.

    A worker imports a large file, in several transactions; then there is no result yet.

    :raises NotFound: if the file is gone, or its plan is another one by now
    :raises PlanChanged: if the file would now change something else
    """
    upload = Upload.objects.select_for_update().filter(
        name=name, user=user, target=target, state=Upload.State.PLANNED
    )
    found = upload.first()
    if found is None or found.plan["fingerprint"] != confirmed:
        raise NotFound
    if found.task_id is not None:
        found.task, found.state = _enqueue(found, "import_rows"), Upload.State.IMPORTING
        found.save(update_fields=["task", "state"])
        return None
    resource = get_resource(target)(user=user, confirmed=confirmed)
    result = resource.run(read_upload(found))
    log_import(result, user=user)
    found.delete()
    return result


def log_import(result: ImportResult, *, user: User) -> None:
    """Write into the log of the back office which rows were added and changed."""
    for flag, kind in ((ADDITION, "new"), (CHANGE, "update")):
        if rows := [row.instance for row in result if row.import_type == kind]:
            LogEntry.objects.log_actions(
                user.pk, rows, flag, change_message="Imported from a file."
            )


def plan_again(*, name: str) -> None:
    """Replace the plan of a file: the stored rows have changed since it was made."""
    upload = Upload.objects.filter(name=name).first()
    if upload is not None:
        plan = make_plan(upload, read_upload(upload))
        upload.plan = {**plan, "has_changed": True}
        upload.save(update_fields=["plan"])

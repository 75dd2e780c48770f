"""The two steps of an import: plan what a file would change, then do exactly that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tablib  # type: ignore[import-untyped]
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.utils import timezone

from mechanic_shop.core.errors import NotFound
from mechanic_shop.core.transactions import retry_on_deadlock, unit_of_work

from .models import Upload
from .plans import describe
from .registry import get_resource
from .resource import ImportResult
from .tables import read_table

if TYPE_CHECKING:
    from mechanic_shop.accounts.models import User


def plan_import(*, user: User, target: str, suffix: str, content: bytes) -> Upload:
    """Keep a file, with the plan of what importing it would change.

    :raises UnreadableFile: if it is no table of such rows
    """
    Upload.objects.expired(timezone.now()).delete()
    upload = Upload(user=user, target=target, suffix=suffix, content=content)
    upload.plan = make_plan(upload)
    upload.state = Upload.State.PLANNED
    if not upload.plan["can_confirm"]:
        upload.content = b""
    upload.save()
    return upload


def make_plan(upload: Upload) -> dict[str, Any]:
    """Say what importing the file would change now.

    :raises UnreadableFile: if it is no table of such rows
    """
    resource = get_resource(upload.target)(user=upload.user)
    return describe(resource, resource.run(read_upload(upload)))


def read_upload(upload: Upload) -> tablib.Dataset:
    """:raises UnreadableFile: if the file is no table of such rows"""
    resource = get_resource(upload.target)
    return read_table(
        bytes(upload.content), upload.suffix, resource.headings(), resource.required
    )


@retry_on_deadlock
@unit_of_work
def import_upload(
    *, name: str, user: User, target: str, confirmed: str
) -> ImportResult:
    """Import the rows, log the import and delete the file, in one transaction.

    :raises NotFound: if the file is gone
    :raises PlanChanged: if the file would now change something else
    """
    upload = Upload.objects.select_for_update().filter(
        name=name, user=user, target=target, state=Upload.State.PLANNED
    )
    found = upload.first()
    if found is None:
        raise NotFound
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
        upload.plan = {**make_plan(upload), "has_changed": True}
        upload.save(update_fields=["plan"])

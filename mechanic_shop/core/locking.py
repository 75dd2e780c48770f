"""Writing a change to a row that others may be writing too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model

from .errors import NotFound
from .models import RowClaim
from .transactions import unit_of_work

M = TypeVar("M", bound=Model)


def claim_for_cluster(model: type[Model], pk: int) -> None:
    """Let only one transaction of a cluster at a time rely on a row.

    A node's locks are its own, and two nodes that decide by the same row notice nothing
    until both write the same. So both write the row's claim, before they look, and the
    later one is undone and run again. One server needs none of it: its locks do.
    """
    if settings.DATABASE_CLUSTER:
        RowClaim.objects.touch(model, pk)


def lock_row(row: M) -> M:
    """Read a row again and keep others from writing it until the transaction ends.

    :raises NotFound: if it was deleted meanwhile
    """
    claim_for_cluster(type(row), row.pk)
    rows = type(row)._default_manager.select_for_update()
    try:
        return rows.get(pk=row.pk)
    except ObjectDoesNotExist as error:
        raise NotFound from error


@unit_of_work
def save_changes(row: M, changes: Mapping[str, Any]) -> M:
    """Write the values that differ, and no other column, to the row as it is now.

    Saving a row that was read a moment ago would undo what somebody else changed since.
    """
    row = lock_row(row)
    changed = [name for name, new in changes.items() if getattr(row, name) != new]
    for name in changed:
        setattr(row, name, changes[name])
    if changed:
        row.save(update_fields=[*changed, "updated_at"])
    return row

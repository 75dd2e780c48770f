"""Which permissions a login holds, read along with the login itself.

A login's rights are read anew for each request, in a column of the query that reads the
session. The column holds ids, since those stand in indexes; the names behind the ids
are part of the code, and kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from django.contrib.auth.models import Group, Permission
from django.db.models import F, Func, OuterRef, QuerySet, Subquery, TextField
from django.db.models.signals import post_delete, post_migrate, post_save
from django.dispatch import receiver

#: The names by id: ``{7: "tickets.install_part"}``.
_names: dict[int, str] = {}


class _Collected(Func):
    """All values of a column as one JSON array; null where there is none."""

    function = "JSON_ARRAYAGG"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **context)


def _collected(rows: QuerySet[Any], column: str) -> Subquery:
    return Subquery(rows.order_by().values(all_of_them=_Collected(F(column))))


def rights_of(user_id: str) -> dict[str, Subquery]:
    """Name the columns for ``annotate``; ``user_id`` is a column of the outer query."""
    user = OuterRef(user_id)
    return {
        # A group without permissions gives a null: one may be in it all the same.
        "group_rights": _collected(Group.objects.filter(user=user), "permissions"),
        "own_rights": _collected(Permission.objects.filter(user=user), "pk"),
    }


def group_names_of(user_id: str) -> Subquery:
    """Return a column with the names of a login's groups, to be read by ``read``."""
    return _collected(Group.objects.filter(user=OuterRef(user_id)), "name")


def read(*columns: str | None) -> list[Any]:
    """Read what was collected in such columns; of rights, None where there is none."""
    values: list[Any] = []
    for column in columns:
        if column:
            values += orjson.loads(column)
    return values


def names_of(ids: Iterable[int | None]) -> set[str]:
    """Name permissions as ``has_perm`` does."""
    held = {pk for pk in ids if pk is not None}
    if not _names.keys() >= held:
        rows = Permission.objects.values_list(
            "pk", "content_type__app_label", "codename"
        )
        _names.update((pk, f"{app}.{codename}") for pk, app, codename in rows)
    return {_names[pk] for pk in held if pk in _names}


@receiver([post_save, post_delete], sender=Permission)
@receiver(post_migrate)
def _forget_names(**kwargs: Any) -> None:
    _names.clear()

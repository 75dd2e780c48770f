"""Load a user's permissions in the query that loads the user.

Permissions are read for each request, as columns of the query that reads the session.
The columns hold ids, because indexes cover them; the names of the ids are cached in the
process, because only migrations change them.
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


class _JSONArray(Func):
    """Aggregate a column into one JSON array."""

    function = "JSON_ARRAYAGG"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **context)


def _collect(rows: QuerySet[Any], column: str) -> Subquery:
    return Subquery(rows.order_by().values(collected=_JSONArray(F(column))))


def permission_id_columns(user_id: str) -> dict[str, Subquery]:
    """Return columns for ``annotate``; ``user_id`` is a column of the outer query."""
    user = OuterRef(user_id)
    return {
        # A group without permissions gives a null, so the array shows the membership.
        "group_permission_ids": _collect(
            Group.objects.filter(user=user), "permissions"
        ),
        "own_permission_ids": _collect(Permission.objects.filter(user=user), "pk"),
    }


def group_names_column(user_id: str) -> Subquery:
    """Return a column with the names of a user's groups, for ``parse_json_arrays``."""
    return _collect(Group.objects.filter(user=OuterRef(user_id)), "name")


def parse_json_arrays(*columns: str | None) -> list[Any]:
    """Join the arrays of such columns; permission ids may contain None (see above)."""
    values: list[Any] = []
    for column in columns:
        if column:
            values += orjson.loads(column)
    return values


def permission_names(ids: Iterable[int | None]) -> set[str]:
    """Return the names of permissions in the form that ``has_perm`` takes."""
    held = {pk for pk in ids if pk is not None}
    if not _names.keys() >= held:
        rows = Permission.objects.values_list(
            "pk", "content_type__app_label", "codename"
        )
        _names.update((pk, f"{app}.{codename}") for pk, app, codename in rows)
    return {_names[pk] for pk in held if pk in _names}


@receiver([post_save, post_delete], sender=Permission)
@receiver(post_migrate)
def _clear_names(**kwargs: Any) -> None:
    _names.clear()

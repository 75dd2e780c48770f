"""Log each change of permissions."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest

from mechanic_shop.core import security_log

#: Fields of a login that grant access, beside groups and permissions.
LOGIN_FLAGS = ("is_active", "is_staff", "is_superuser")


class PermissionAuditMixin:
    """Write every change of permissions into the security log."""

    def save_model(
        self, request: HttpRequest, obj: Model, form: Any, change: bool
    ) -> None:
        form.permissions_before = read_permissions(obj)
        super().save_model(request, obj, form, change)  # type: ignore[misc]

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        log_permission_change(
            request, form.instance, form.instance.pk, form.permissions_before
        )

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        pk, before = obj.pk, read_permissions(obj)
        super().delete_model(request, obj)  # type: ignore[misc]
        log_permission_change(request, obj, pk, before)


def read_permissions(holder: Model) -> dict[str, Any]:
    """Read the permissions of a user or a group; {} if the row does not exist."""
    row: Any = type(holder)._default_manager.filter(pk=holder.pk).first()
    if row is None:
        return {}
    if isinstance(row, Group):
        return {"permissions": _permission_names(row.permissions)}
    return {
        **{flag: getattr(row, flag) for flag in LOGIN_FLAGS},
        "groups": sorted(row.groups.values_list("name", flat=True)),
        "user_permissions": _permission_names(row.user_permissions),
    }


def _permission_names(permissions: Any) -> list[str]:
    pairs = permissions.values_list("content_type__app_label", "codename")
    return sorted(f"{app}.{codename}" for app, codename in pairs)


def log_permission_change(
    request: HttpRequest, holder: Model, pk: int, before: dict[str, Any]
) -> None:
    """Write the changed permissions into the security log, after the commit."""
    after = read_permissions(holder) or dict.fromkeys(before)
    changed = [name for name in after if before.get(name) != after[name]]
    if not changed:
        return
    transaction.on_commit(
        partial(
            security_log.record,
            "roles_changed",
            **{"group_id" if isinstance(holder, Group) else "user_id": pk},
            by_id=request.user.pk,
            before={name: before.get(name) for name in changed},
            after={name: after[name] for name in changed},
        )
    )

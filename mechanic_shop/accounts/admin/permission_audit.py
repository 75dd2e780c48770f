"""Who may give which rights, and the line that each change of them leaves."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from mechanic_shop.core import security_log

from ..models import User
from ..roles import ROLE_WORDS

#: What a login is allowed beside its groups and permissions.
FLAGS = ("is_active", "is_staff", "is_superuser")


class TellsRights:
    """Write every change of rights into the security log."""

    def save_model(
        self, request: HttpRequest, obj: Model, form: Any, change: bool
    ) -> None:
        form.rights_before = rights_of(obj)
        super().save_model(request, obj, form, change)  # type: ignore[misc]

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        tell_of_rights(request, form.instance, form.instance.pk, form.rights_before)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        pk, before = obj.pk, rights_of(obj)
        super().delete_model(request, obj)  # type: ignore[misc]
        tell_of_rights(request, obj, pk, before)


def shop_roles() -> QuerySet[Group]:
    """Keep the groups that stand for the shop's three roles."""
    return Group.objects.filter(name__in=[name for name, _ in ROLE_WORDS])


def rights_of(holder: Model) -> dict[str, Any]:
    """Read from the database what a user or a group may do; a stranger may nothing."""
    row: Any = type(holder)._default_manager.filter(pk=holder.pk).first()
    if row is None:
        return {}
    if isinstance(row, Group):
        return {"permissions": _names_of(row.permissions)}
    return {
        **{flag: getattr(row, flag) for flag in FLAGS},
        "groups": sorted(row.groups.values_list("name", flat=True)),
        "user_permissions": _names_of(row.user_permissions),
    }


def _names_of(permissions: Any) -> list[str]:
    pairs = permissions.values_list("content_type__app_label", "codename")
    return sorted(f"{app}.{codename}" for app, codename in pairs)


def tell_of_rights(
    request: HttpRequest, holder: Model, pk: int, before: dict[str, Any]
) -> None:
    """Write what changed of the rights into the security log, once it is committed."""
    after = rights_of(holder) or dict.fromkeys(before)
    changed = [right for right in after if before.get(right) != after[right]]
    if not changed:
        return
    transaction.on_commit(
        partial(
            security_log.record,
            "roles_changed",
            **{"group_id" if isinstance(holder, Group) else "user_id": pk},
            by_id=request.user.pk,
            before={right: before.get(right) for right in changed},
            after={right: after[right] for right in changed},
        )
    )


def may_touch(request: HttpRequest, user: User | None) -> bool:
    """Tell whether an account is out of reach: a superuser's is, to all others."""
    return request.user.is_superuser or user is None or not user.is_superuser


def groups_to_give(request: HttpRequest, user: User) -> Any:
    """Offer the three roles; a superuser any group, and nobody loses one unseen."""
    if request.user.is_superuser:
        return Group.objects.all()
    roles = Q(name__in=[name for name, _ in ROLE_WORDS])
    return Group.objects.filter(roles | Q(pk__in=user.groups.all()))

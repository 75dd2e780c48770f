"""The shop's three roles: groups with the permissions they start with."""

from itertools import chain
from typing import Any

from django.apps import AppConfig
from django.apps import apps as global_apps
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from mechanic_shop.core.app_config import (
    ANY_CODENAME,
    Role,
    get_role_permissions,
    get_shop_apps,
)

from .models import User

TECHNICIAN, SERVICE_ADVISOR, MANAGER = Role

#: Group names and their words in responses, the highest role first.
ROLE_WORDS = (
    (MANAGER, "manager"),
    (SERVICE_ADVISOR, "service_advisor"),
    (TECHNICIAN, "technician"),
)

#: The values of ``role``; the last two are logins without one of the groups.
ROLE_CHOICES = (*(word for _, word in ROLE_WORDS), "staff", "customer")


def role_of(user: User) -> str:
    """Return the user's highest role, for display; check rights with ``has_perm``."""
    if user.is_superuser:
        return "manager"
    if user.permission_ids == []:
        return "staff" if user.is_staff else "customer"
    if user.group_names is None:
        user.group_names = list(user.groups.values_list("name", flat=True))
    for group, word in ROLE_WORDS:
        if group in user.group_names:
            return word
    return "staff" if user.is_staff else "customer"


def shop_roles() -> QuerySet[Group]:
    """Return the groups of the shop's three roles."""
    return Group.objects.filter(name__in=list(Role))


def is_staff_login(user: User) -> bool:
    """Return whether a login gives access to more than a customer's own rows."""
    return (
        user.is_staff
        or user.is_superuser
        or user.groups.exists()
        or user.user_permissions.exists()
    )


def grant_role_permissions(
    sender: AppConfig, using: str, apps: Apps = global_apps, **kwargs: Any
) -> None:
    """Create missing groups, and grant each the new permissions of its role.

    A group gets a permission once: what a shop has taken away stays away. Runs after
    ``migrate``; ``apps`` is the state of the migrations. Django creates permissions app
    by app, so those of later apps are created here first.
    """
    try:
        granted = apps.get_model("accounts", "GrantedPermission")
    except LookupError:  # migrated back to before there was one
        return
    for config in global_apps.get_app_configs():
        create_permissions(config, using=using, verbosity=0)
    for role in Role:
        group, _ = Group.objects.using(using).get_or_create(name=role)
        rows = granted._default_manager.using(using).filter(group_id=group.pk)
        known = rows.values("permission_id")
        new = list(_permissions_of(role, using).exclude(pk__in=known))
        group.permissions.add(*new)
        rows.bulk_create(
            granted(group_id=group.pk, permission_id=permission.pk)
            for permission in new
        )


def _permissions_of(role: Role, using: str) -> QuerySet[Permission]:
    wanted = Q(pk__in=())
    for name in chain.from_iterable(
        get_role_permissions(app, role) for app in get_shop_apps()
    ):
        label, codename = name.split(".")
        in_app = Q(content_type__app_label=label)
        wanted |= in_app if codename == ANY_CODENAME else in_app & Q(codename=codename)
    return Permission.objects.using(using).filter(wanted)

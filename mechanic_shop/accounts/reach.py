"""Whose login somebody may change: nobody's who may do more than they may.

Who changes a login's address, groups or password can act as its user. So a login is out
of reach of everybody who lacks one of its permissions.
"""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from mechanic_shop.core.errors import Conflict

from .backends import load_permission_ids
from .models import User
from .permission_loading import permission_names
from .roles import shop_roles


class LoginOutOfReach(Conflict):
    """The user may not change this login, or not grant this role."""

    code = "login_out_of_reach"


def check_reach(*, by: User, user: User) -> None:
    """:raises LoginOutOfReach: if the login may do what ``by`` may not"""
    if is_in_reach(by=by, user=user):
        return
    if user.is_superuser:
        raise LoginOutOfReach("This is an owner's login; only owners may change it.")
    raise LoginOutOfReach("This login may do more than you; you may not change it.")


def is_in_reach(*, by: User, user: User) -> bool:
    """Return whether ``by`` has every permission that the login has or had."""
    if by.is_superuser or user == by:
        return True
    return not user.is_superuser and _held(user) <= by.get_all_permissions()


def can_grant(*, by: User, group: Group) -> bool:
    """Return whether ``by`` has every permission of a group."""
    ids = group.permissions.values_list("pk", flat=True)
    return by.is_superuser or permission_names(ids) <= by.get_all_permissions()


def grantable_roles(by: User) -> QuerySet[Group]:
    """Return those of the shop's three roles that ``by`` may give to somebody."""
    roles = shop_roles()
    return roles.filter(pk__in=[row.pk for row in roles if can_grant(by=by, group=row)])


def assignable_groups(*, by: User, user: User) -> QuerySet[Group]:
    """Return these roles and the user's own groups; for superusers all groups."""
    if by.is_superuser:
        return Group.objects.all()
    own = Q(pk__in=user.groups.values("pk"))
    return Group.objects.filter(Q(pk__in=grantable_roles(by).values("pk")) | own)


def _held(user: User) -> set[str]:
    """Return a login's permissions, also those that it only has while it is active."""
    if user.permission_ids is None:
        user.permission_ids = load_permission_ids(user.pk)
    return permission_names(user.permission_ids)

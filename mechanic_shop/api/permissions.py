"""Which actions a user may use: Django permissions, and permissions on own rows.

Three questions have three homes. Which rows a user can see: ``visible_to`` (404). Which
actions the user may use: here (403). Whether the present state allows it: the service
(409).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from mechanic_shop.core.app_config import (
    get_own_row_permissions,
    get_public_permissions,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from rest_framework.views import APIView

    from mechanic_shop.accounts.models import User

#: An entry of a view's ``action_permissions`` that only needs a sign-in.
AUTHENTICATED = "signed in"
#: An entry of a view's ``action_permissions`` that needs no sign-in.
ALLOW_ANY = "anyone"


#: The permission of Django's that DRF's standard actions need.
STANDARD_ACTIONS = {
    "list": "view",
    "retrieve": "view",
    "create": "add",
    "update": "change",
    "partial_update": "change",
    "destroy": "delete",
}


def has_own_rows(user: User | AnonymousUser) -> bool:
    """Return whether rows may belong to this user; staff may be customers too."""
    return not user.is_staff or hasattr(user, "customer")


def has_permission(user: User | AnonymousUser, permission: str) -> bool:
    """Return whether a user has a permission for whatever is visible to them."""
    return permission in get_public_permissions() or user.has_perm(permission)


def get_required_permissions(view: Any, action: str) -> str | tuple[str, ...]:
    """Return the permissions of an action; one is enough, and none means no.

    A standard action of DRF's that ``view.action_permissions`` leaves out needs the
    permission that Django makes for the model.
    """
    permissions: Mapping[str, str | tuple[str, ...]] = getattr(
        view, "action_permissions", {}
    )
    queryset = getattr(view, "queryset", None)
    if action in permissions or action not in STANDARD_ACTIONS or queryset is None:
        return permissions.get(action, ())
    model = queryset.model._meta
    return f"{model.app_label}.{STANDARD_ACTIONS[action]}_{model.model_name}"


class ActionPermission(BasePermission):
    """Ask ``get_required_permissions`` which permission an action needs.

    A value may be a tuple of permissions. One of them is enough to enter; the view
    then asks for the rest when it knows what would change.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        permissions = self._required(view)
        if permissions == (ALLOW_ANY,) or not request.authenticators:
            return True
        user = request.user
        if not user.is_authenticated:
            return False
        return permissions == (AUTHENTICATED,) or any(
            has_permission(user, permission)
            or (permission in get_own_row_permissions() and has_own_rows(user))
            for permission in permissions
        )

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        permissions = self._required(view)
        if permissions in ((ALLOW_ANY,), (AUTHENTICATED,)):
            return True
        return any(
            has_permission(request.user, permission) for permission in permissions
        ) or obj.belongs_to(request.user)

    @staticmethod
    def _required(view: APIView) -> tuple[str, ...]:
        action = getattr(view, "action", None)
        method = (view.request.method or "").lower()
        if action is None or method not in view.http_method_names:
            return (ALLOW_ANY,)  # DRF responds with 405
        if action == "metadata":
            return (AUTHENTICATED,)
        permissions = get_required_permissions(view, action)
        return (permissions,) if isinstance(permissions, str) else permissions

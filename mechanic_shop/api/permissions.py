"""Which verbs a user may use: Django permissions, and everyone's own rows.

Three questions have three homes. Which rows exist for a user: ``visible_to`` (404).
Which verbs they may use: here (403). Whether now is the moment: the service (409).
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

#: An entry of a view's ``verbs`` that is open to whoever is signed in.
SIGNED_IN = "signed in"
#: An entry of a view's ``verbs`` that needs no sign-in.
ANYONE = "anyone"


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
    """Tell whether rows may belong to this user; staff may be customers too."""
    return not user.is_staff or hasattr(user, "customer")


def may(user: User | AnonymousUser, verb: str) -> bool:
    """Tell whether a user may use a verb on whatever is visible to them."""
    return verb in get_public_permissions() or user.has_perm(verb)


def verbs_of(view: Any, action: str) -> str | tuple[str, ...]:
    """Return the permissions of which an action needs one; none means no.

    What ``view.verbs`` leaves out of DRF's standard actions needs the permission that
    Django makes for the model.
    """
    verbs: Mapping[str, str | tuple[str, ...]] = getattr(view, "verbs", {})
    queryset = getattr(view, "queryset", None)
    if action in verbs or action not in STANDARD_ACTIONS or queryset is None:
        return verbs.get(action, ())
    model = queryset.model._meta
    return f"{model.app_label}.{STANDARD_ACTIONS[action]}_{model.model_name}"


class VerbPermission(BasePermission):
    """Ask ``verbs_of`` which permission an action needs.

    A value may be a tuple of permissions, of which one is enough to enter; the view
    then asks for the rest when it knows what would change.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        verbs = self._verbs(view)
        if verbs == (ANYONE,) or not request.authenticators:
            return True
        user = request.user
        if not user.is_authenticated:
            return False
        return verbs == (SIGNED_IN,) or any(
            may(user, verb)
            or (verb in get_own_row_permissions() and has_own_rows(user))
            for verb in verbs
        )

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        verbs = self._verbs(view)
        if verbs in ((ANYONE,), (SIGNED_IN,)):
            return True
        return any(may(request.user, verb) for verb in verbs) or obj.belongs_to(
            request.user
        )

    @staticmethod
    def _verbs(view: APIView) -> tuple[str, ...]:
        action = getattr(view, "action", None)
        method = (view.request.method or "").lower()
        if action is None or method not in view.http_method_names:
            return (ANYONE,)  # not a verb: DRF answers 405
        if action == "metadata":
            return (SIGNED_IN,)
        verbs = verbs_of(view, action)
        return (verbs,) if isinstance(verbs, str) else verbs

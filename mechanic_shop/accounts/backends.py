"""Authentication backends, which decide on permissions."""

from __future__ import annotations

from functools import cache

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from mechanic_shop.core.app_config import get_own_row_permissions
from mechanic_shop.core.prepared_queries import PreparedQuery

from .models import User
from .permission_loading import (
    parse_json_arrays,
    permission_id_columns,
    permission_names,
)


class ShopBackend(ModelBackend):
    """Django's permissions in one query, or in none for requests with a token.

    Django's own backend runs two queries, for the user's permissions and for those of
    the groups. Nothing is cached beyond the request.
    """

    def get_all_permissions(
        self,
        user_obj: User | AnonymousUser,
        obj: Model | None = None,
    ) -> set[str]:
        if not isinstance(user_obj, User) or user_obj.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        if not user_obj.is_active:
            return set()
        if not hasattr(user_obj, "_perm_cache"):
            if user_obj.permission_ids is None:
                user_obj.permission_ids = load_permission_ids(user_obj.pk)
            user_obj._perm_cache = permission_names(user_obj.permission_ids)
        return user_obj._perm_cache


def load_permission_ids(user_id: int) -> list[int | None]:
    """Load what ``User.permission_ids`` holds."""
    return parse_json_arrays(*(PERMISSION_IDS_BY_USER.first(user_id) or ()))


PERMISSION_IDS_BY_USER = PreparedQuery(
    lambda pk: User.objects.filter(pk=pk).values_list(
        *permission_id_columns("pk").values()
    )
)


class OpenAccessBackend(BaseBackend):
    """Let every active user do nearly everything (``SHOP_OPEN_ACCESS=true``).

    The two systems this project replaces work like that. It is for their clients'
    first days here, never for a shop that is open to the public. As in system A, only
    their owner changes and deletes what belongs to a customer.
    """

    def has_perm(
        self,
        user_obj: User | AnonymousUser,
        perm: str,
        obj: Model | None = None,
    ) -> bool:
        return user_obj.is_active and perm not in _owners_permissions()


@cache
def _owners_permissions() -> frozenset[str]:
    """Return what customers may do with rows of their own beyond seeing and adding."""
    return frozenset(
        permission
        for permission in get_own_row_permissions()
        if permission.partition(".")[2].startswith(("change_", "delete_"))
    )

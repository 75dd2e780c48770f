"""Who has which permission."""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from mechanic_shop.core.prepared_queries import PreparedQuery

from .models import User
from .permission_loading import names_of, read, rights_of


class ShopBackend(ModelBackend):
    """Django's permissions in one query, and in none for who signed in by a token.

    Django asks for a user's own permissions and for those of their groups one after the
    other. Nothing is kept beyond the request: rights are read anew at every one.
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
            if user_obj.rights is None:
                user_obj.rights = _read_rights(user_obj.pk)
            user_obj._perm_cache = names_of(user_obj.rights)
        return user_obj._perm_cache


def _read_rights(user_id: int) -> list[int | None]:
    return read(*(RIGHTS_BY_USER.first(user_id) or ()))


RIGHTS_BY_USER = PreparedQuery(
    lambda pk: User.objects.filter(pk=pk).values_list(*rights_of("pk").values())
)


class OpenAccessBackend(BaseBackend):
    """Let every active user do everything (``SHOP_OPEN_ACCESS=true``).

    The two systems this project replaces work like that. It is for their clients'
    first days here, never for a shop that is open to the public.
    """

    def has_perm(
        self,
        user_obj: User | AnonymousUser,
        perm: str,
        obj: Model | None = None,
    ) -> bool:
        return user_obj.is_active

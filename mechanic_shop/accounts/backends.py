"""Who has which permission beside Django's own users and groups."""

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from .models import User


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

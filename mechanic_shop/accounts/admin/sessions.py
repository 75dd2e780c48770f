"""Read-only admin pages of API sessions."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from mechanic_shop.admin import ReadOnlyAdminMixin, ShopModelAdmin
from mechanic_shop.admin.export import ExportMixin
from mechanic_shop.admin.sidebar import link_to_list

from ..models import Session

link_to_list(Session, section="Access", icon="key", order=92)


@admin.register(Session)
class SessionAdmin(ExportMixin, ReadOnlyAdminMixin, ShopModelAdmin):
    empty_message = "Nobody has signed in through the API so far."
    list_display = ("user", "created_at", "refreshed_at", "revoked_at")
    list_filter = ("created_at", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("user__email",)
    drill_down = "created_at"
    ordering = ("-pk",)
    # Without the token's id and the hash of the password, which nobody needs to read.
    fields = ("user", "created_at", "refreshed_at", "revoked_at")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        secrets = ("identifier", "refresh_jti", "auth_hash")
        return not lookup.startswith(secrets) and super().lookup_allowed(
            lookup, value, request
        )

"""The door of the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from unfold.forms import (
    AuthenticationForm,
)

from mechanic_shop.core import security_log


class StaffLoginForm(AuthenticationForm):
    """The form at the door of the back office; it opens to staff only."""

    def confirm_login_allowed(self, user: Any) -> None:
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            # Django tells of wrong passwords; this one was right.
            security_log.record("login_failed", user_id=user.pk)
            raise


admin.site.login_form = StaffLoginForm

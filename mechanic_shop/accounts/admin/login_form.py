"""Login form of the admin site."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from unfold.forms import (
    AuthenticationForm,
)

from mechanic_shop.core import security_log
from mechanic_shop.core.password_forms import BoundedPasswordMixin


class StaffLoginForm(BoundedPasswordMixin, AuthenticationForm):
    """The login form of the admin site; it admits only staff."""

    def confirm_login_allowed(self, user: Any) -> None:
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            # Django sends no signal here, because the password was right.
            security_log.record("login_failed", user_id=user.pk)
            raise


admin.site.login_form = StaffLoginForm

"""Password forms; each stores the password as the API does, and ends the sessions."""

from __future__ import annotations

from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import ValidationError
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm

from mechanic_shop.core import security_log
from mechanic_shop.core.password_forms import BoundedPasswordMixin

from .models import User
from .services import save_password


class LinkPasswordForm(SetPasswordForm):
    """The form behind a mailed link."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        save_password(user=user)
        return user


class OwnPasswordForm(BoundedPasswordMixin, AdminOwnPasswordChangeForm):
    """Change the own password in the back office."""

    bounded_field = "old_password"

    def clean_old_password(self) -> str:
        try:
            old: str = super().clean_old_password()
        except ValidationError:
            security_log.record("password_refused", user_id=self.user.pk)
            raise
        return old

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        save_password(user=user)
        return user


class UserPasswordForm(AdminPasswordChangeForm):
    """Set somebody's password in the back office; the page stores it."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        return user

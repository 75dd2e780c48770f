"""Write logins with a password into the security log.

All login forms send Django's signals, including those of libraries and those that are
added later.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.dispatch import receiver

from mechanic_shop.core.security_log import account_of, record


@receiver(user_login_failed)
def _on_login_failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    record("login_failed", account=account_of(str(credentials.get("username", ""))))


@receiver(user_logged_in)
def _on_cookie_login(user: Any, **kwargs: Any) -> None:
    record("login_ok", user_id=user.pk)


@receiver(user_logged_out)
def _on_cookie_logout(user: Any, **kwargs: Any) -> None:
    if user is not None:
        record("logout", user_id=user.pk)

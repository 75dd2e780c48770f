from __future__ import annotations

from django.core.exceptions import ValidationError

from mechanic_shop.core.password_forms import PASSWORD_MAX_LENGTH

from .models import User


class MaximumLengthValidator:
    """Reject passwords that are longer than the login form accepts."""

    def __init__(self, max_length: int = PASSWORD_MAX_LENGTH) -> None:
        self.max_length = max_length

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > self.max_length:
            raise ValidationError(
                f"This password is too long. {self.get_help_text()}",
                code="password_too_long",
            )

    def get_help_text(self) -> str:
        return f"It may have at most {self.max_length} characters."

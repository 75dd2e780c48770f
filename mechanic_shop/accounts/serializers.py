"""Serializers of logins, sessions and passwords."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mechanic_shop.api.serializers import (
    NormalizedEmailField,
    ReadOnlyModelSerializer,
    StrictSerializer,
)
from mechanic_shop.core.password_forms import PASSWORD_MAX_LENGTH

from .models import User
from .roles import ROLE_CHOICES, role_of

PASSWORD_MIN_LENGTH = 8


class PasswordField(serializers.CharField):
    """A password as it was typed: spaces count, and it is never sent back."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("style", {"input_type": "password"})
        super().__init__(
            write_only=True,
            trim_whitespace=False,
            max_length=PASSWORD_MAX_LENGTH,
            **kwargs,
        )


@extend_schema_field(
    {
        "type": "string",
        "writeOnly": True,
        "minLength": PASSWORD_MIN_LENGTH,
        "maxLength": PASSWORD_MAX_LENGTH,
    }
)
class NewPasswordField(PasswordField):
    """A password to be set; Django's validators say why one is not good enough."""


class RoleField(serializers.ChoiceField):
    """A user's highest role, for display only; permissions decide what is allowed."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs |= {"source": "*", "read_only": True, "choices": ROLE_CHOICES}
        super().__init__(**kwargs)

    def to_representation(self, user: Any) -> str:
        return role_of(user)


class UserSerializer(ReadOnlyModelSerializer[User]):
    user_id = serializers.IntegerField(source="pk", read_only=True)
    role = RoleField()

    class Meta:
        model = User
        fields = ["user_id", "email", "first_name", "last_name", "role", "is_staff"]
        read_only_fields = fields


class LoginSerializer(StrictSerializer):
    email = serializers.CharField(max_length=254)
    password = PasswordField()


class TokenPairSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()


class RefreshSerializer(StrictSerializer):
    refresh_token = serializers.CharField(max_length=4096)


class LogoutSerializer(StrictSerializer):
    refresh_token = serializers.CharField(max_length=4096, required=False)


class ChangePasswordSerializer(StrictSerializer):
    current_password = PasswordField()
    new_password = NewPasswordField()


class PasswordResetSerializer(StrictSerializer):
    email = NormalizedEmailField(max_length=254)


class PasswordResetConfirmSerializer(StrictSerializer):
    uid = serializers.CharField(max_length=64)
    token = serializers.CharField(max_length=128)
    new_password = NewPasswordField()


class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()

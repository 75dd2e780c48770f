"""Request bodies and answers of the endpoints that know only a user."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from mechanic_shop.api.serializers import NormalizedEmailField, StrictSerializer

from .models import User
from .roles import role_of

PASSWORD_MAX_LENGTH = 128


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


class UserSerializer(serializers.ModelSerializer[User]):
    user_id = serializers.IntegerField(source="pk", read_only=True)
    role = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["user_id", "email", "first_name", "last_name", "role", "is_staff"]
        read_only_fields = fields

    def get_role(self, user: User) -> str:
        return role_of(user)


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
    new_password = PasswordField()


class PasswordResetSerializer(StrictSerializer):
    email = NormalizedEmailField()


class PasswordResetConfirmSerializer(StrictSerializer):
    uid = serializers.CharField(max_length=64)
    token = serializers.CharField(max_length=128)
    new_password = PasswordField()


class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()

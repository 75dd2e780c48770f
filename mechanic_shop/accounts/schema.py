"""OpenAPI descriptions and examples of sessions and passwords."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema

from mechanic_shop.api.schema.examples import request_example
from mechanic_shop.api.schema.responses import failure

from .serializers import (
    ChangePasswordSerializer,
    LogoutSerializer,
    MessageSerializer,
    PasswordResetConfirmSerializer,
    PasswordResetSerializer,
    RefreshSerializer,
    TokenPairSerializer,
)

ACCESS_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.uM3kRm5l"
REFRESH_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.x8Qd0aZw"

refresh = extend_schema(
    operation_id="refresh_tokens",
    description="A refresh token works once. If a used one is sent again, somebody has"
    " a copy of it, and the session ends for everybody who has its tokens.",
    request=RefreshSerializer,
    responses={
        200: TokenPairSerializer,
        401: failure(
            401,
            "The token is unknown, expired, used already, or its session has ended.",
            message="This token does not work any more. Sign in again.",
            code="token_not_valid",
        ),
    },
    examples=[
        request_example(refresh_token=REFRESH_TOKEN),
        OpenApiExample(
            "New tokens",
            {"access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN},
            response_only=True,
        ),
    ],
)

logout = extend_schema(
    description="No body is needed; one with the refresh token is accepted.",
    request=LogoutSerializer,
    responses={204: None},
    examples=[request_example(refresh_token=REFRESH_TOKEN)],
)

password = extend_schema(
    operation_id="change_password",
    description="All sessions of the user end, including this one: sign in again with"
    " the new password. A wrong current password is a 400.",
    request=ChangePasswordSerializer,
    responses={204: None},
    examples=[
        request_example(
            current_password="winding-road-1", new_password="long-way-home-2"
        )
    ],
)

password_reset = extend_schema(
    operation_id="request_password_reset",
    description="The response is the same whether the address has a login or not. The"
    " link leads to a page of the shop; its parts also work with"
    " `POST /api/auth/password-reset/confirm`.",
    request=PasswordResetSerializer,
    responses={200: MessageSerializer},
    examples=[
        request_example(email="ada.1@example.com"),
        OpenApiExample(
            "Always",
            {"message": "If the address has a login, a link is on its way to it."},
            response_only=True,
        ),
    ],
)

password_reset_confirm = extend_schema(
    operation_id="confirm_password_reset",
    description="`uid` and `token` are the last two parts of the mailed link. It works"
    " once; all sessions of the user end.",
    request=PasswordResetConfirmSerializer,
    responses={204: None},
    examples=[
        request_example(
            uid="MQ", token="cz3kqa-0f4b6f1a2d", new_password="long-way-home-2"
        )
    ],
)

"""Views of sessions and passwords: refresh, logout, change and reset."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout as end_admin_session
from django.contrib.auth import views as auth_views
from django.http import HttpResponse
from django.urls import reverse_lazy
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from mechanic_shop.api.login_throttling import clear_login_attempt
from mechanic_shop.api.permissions import ALLOW_ANY, AUTHENTICATED
from mechanic_shop.api.routers import route
from mechanic_shop.api.throttling import AddressThrottle, UserThrottle
from mechanic_shop.api.viewsets import ShopViewSet

from . import schema, services
from .forms import LinkPasswordForm
from .models import Session, User
from .serializers import (
    ChangePasswordSerializer,
    LogoutSerializer,
    PasswordResetConfirmSerializer,
    PasswordResetSerializer,
    RefreshSerializer,
    TokenPairSerializer,
)


class PasswordThrottle(UserThrottle):
    rule = "PASSWORD"


class PasswordResetThrottle(AddressThrottle):
    rule = "PASSWORD_RESET"


@route("auth", basename="session")
class SessionViewSet(ShopViewSet[Session]):
    action_permissions = {
        "refresh": ALLOW_ANY,
        "logout": AUTHENTICATED,
        "password": AUTHENTICATED,
        "password_reset": ALLOW_ANY,
        "password_reset_confirm": ALLOW_ANY,
    }
    action_throttles = {
        "password": PasswordThrottle,
        "password_reset": PasswordResetThrottle,
    }
    queryset = Session.objects.none()
    serializer_class = RefreshSerializer

    @schema.refresh
    @action(detail=False, methods=["post"], authentication_classes=[])
    def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair; the old one never works again."""
        body = self.get_validated(RefreshSerializer)
        pair = services.rotate_session(refresh_token=body["refresh_token"])
        return Response(TokenPairSerializer(pair).data)

    @schema.logout
    @action(detail=False, methods=["post"], serializer_class=LogoutSerializer)
    def logout(self, request: Request) -> Response:
        """Sign out; the session's access and refresh tokens stop working."""
        self.get_validated(LogoutSerializer)
        if isinstance(request.auth, Session):
            services.end_session(session=request.auth)
        else:
            end_admin_session(request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @schema.password
    @action(detail=False, methods=["post"], serializer_class=ChangePasswordSerializer)
    def password(self, request: Request) -> Response:
        """Change the password; every session of the user ends."""
        body = self.get_validated(ChangePasswordSerializer)
        assert isinstance(request.user, User)
        services.check_current_password(
            user=request.user, password=body["current_password"]
        )
        services.check_new_password(
            body["new_password"], user=request.user, field="new_password"
        )
        services.set_password(user=request.user, password=body["new_password"])
        return Response(status=status.HTTP_204_NO_CONTENT)

    @schema.password_reset
    @action(
        detail=False,
        methods=["post"],
        url_path="password-reset",
        authentication_classes=[],
        serializer_class=PasswordResetSerializer,
    )
    def password_reset(self, request: Request) -> Response:
        """Mail a link that sets a password; nobody learns whether the login exists."""
        body = self.get_validated(PasswordResetSerializer)
        services.request_password_reset(email=body["email"])
        return Response(
            {"message": "If the address has a login, a link is on its way to it."}
        )

    @schema.password_reset_confirm
    @action(
        detail=False,
        methods=["post"],
        url_path="password-reset/confirm",
        authentication_classes=[],
        serializer_class=PasswordResetConfirmSerializer,
    )
    def password_reset_confirm(self, request: Request) -> Response:
        """Set a new password with the token of a mailed link."""
        body = self.get_validated(PasswordResetConfirmSerializer)
        user = services.confirm_password_reset(
            uid=body["uid"], token=body["token"], password=body["new_password"]
        )
        clear_login_attempt(request, user.email)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SetPasswordView(auth_views.PasswordResetConfirmView):
    """The page behind a mailed link."""

    template_name = "accounts/set_password.html"
    form_class = LinkPasswordForm
    success_url = reverse_lazy("password-set-done")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        clear_login_attempt(self.request, form.user.email)
        return response


class PasswordSetDoneView(auth_views.PasswordResetCompleteView):
    template_name = "accounts/password_set.html"

"""Signing in to the browsable API, at ``/api/login/``."""

from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.urls import path

from mechanic_shop.core.password_forms import BoundedPasswordMixin

from .login_throttling import throttle_login_view


class LoginForm(BoundedPasswordMixin, AuthenticationForm):
    """The login form of the browsable API."""


login = throttle_login_view(
    views.LoginView.as_view(
        template_name="rest_framework/login.html",
        authentication_form=LoginForm,
        next_page="api-root",
    )
)

logout = views.LogoutView.as_view(next_page="api-root")

app_name = "rest_framework"
pages = [
    path("api/login/", login, name="login"),
    path("api/login", login),
    path("api/login/out/", logout, name="logout"),
    path("api/login/out", logout),
]
urlpatterns = pages if settings.BROWSABLE_API else []

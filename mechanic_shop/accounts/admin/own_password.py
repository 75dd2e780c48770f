"""The page on which people change their own password in the back office."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy

from mechanic_shop.api.login_throttling import throttle_password_view

from ..forms import OwnPasswordForm


@throttle_password_view
def change_own_password(request: HttpRequest) -> HttpResponseBase:
    """Do what the site's own page does, which lets nobody choose the form."""
    view = PasswordChangeView.as_view(
        form_class=OwnPasswordForm,
        success_url=reverse_lazy("admin:password_change_done"),
        extra_context=admin.site.each_context(request),
    )
    return view(request)

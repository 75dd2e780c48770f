from django.urls import path

from .views import PasswordSetDoneView, SetPasswordView

urlpatterns = [
    path(
        "account/password/<uidb64>/<token>/",
        SetPasswordView.as_view(),
        name="password-set",
    ),
    path(
        "account/password/done/",
        PasswordSetDoneView.as_view(),
        name="password-set-done",
    ),
]

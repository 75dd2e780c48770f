from django.contrib.auth.views import LogoutView
from django.urls import path

from mechanic_shop.api.login_throttling import throttle_login_view

from . import views

app_name = "portal"
urlpatterns = [
    path("my/", views.home, name="home"),
    path("my/tickets/<int:pk>/", views.ticket, name="ticket"),
    path(
        "my/sign-in/",
        throttle_login_view(views.SignInView.as_view()),
        name="sign-in",
    ),
    path(
        "my/sign-out/", LogoutView.as_view(next_page="portal:sign-in"), name="sign-out"
    ),
    path(
        "my/forgotten-password/",
        views.ForgottenPasswordView.as_view(),
        name="forgotten-password",
    ),
]

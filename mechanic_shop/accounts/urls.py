from django.urls import path

from mechanic_shop.api.routers import ShopRouter

from .views import PasswordSetDoneView, SessionViewSet, SetPasswordView

router = ShopRouter()
router.register("auth", SessionViewSet, basename="session")

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

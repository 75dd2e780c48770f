from django.urls import include, path
from rest_framework.routers import DefaultRouter

from .views import (
    CustomerViewSet,
    LoginView,
    MechanicViewSet,
    MeView,
    PartViewSet,
    ServiceTicketViewSet,
)

router = DefaultRouter(trailing_slash=False)
router.register("customers", CustomerViewSet)
router.register("mechanics", MechanicViewSet)
router.register("inventory", PartViewSet)
router.register("service-tickets", ServiceTicketViewSet)

urlpatterns = [
    path("api/auth/login", LoginView.as_view()),
    path("api/auth/me", MeView.as_view()),
    path("api/", include(router.urls)),
]

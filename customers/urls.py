from mechanic_shop.api.routers import ShopRouter

from .views import AuthViewSet, CustomerVehicleViewSet, CustomerViewSet, VehicleViewSet

router = ShopRouter()
router.register("auth", AuthViewSet, basename="auth")
router.register("customers", CustomerViewSet)
router.register(
    r"customers/(?P<customer_id>[0-9]+)/vehicles",
    CustomerVehicleViewSet,
    basename="customer-vehicle",
)
router.register("vehicles", VehicleViewSet)

from mechanic_shop.api.routers import ShopRouter

from .views import MechanicViewSet

router = ShopRouter()
router.register("mechanics", MechanicViewSet)

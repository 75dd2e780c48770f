from mechanic_shop.api.routers import ShopRouter

from .views import PartViewSet

router = ShopRouter()
router.register("inventory", PartViewSet)

from mechanic_shop.core.app_config import ShopAppConfig


class DashboardConfig(ShopAppConfig):
    name = "dashboard"

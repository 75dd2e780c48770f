from mechanic_shop.core.app_config import ShopAppConfig


class DemoConfig(ShopAppConfig):
    name = "demo"

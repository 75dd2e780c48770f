from .app_config import ShopAppConfig


class CoreConfig(ShopAppConfig):
    name = "mechanic_shop.core"
    label = "core"
    verbose_name = "System"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers the system checks)

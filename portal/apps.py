from mechanic_shop.core.app_config import ShopAppConfig


class PortalConfig(ShopAppConfig):
    """The customers' own pages: sign in, vehicles, tickets."""

    name = "portal"

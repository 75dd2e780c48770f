from mechanic_shop.core.app_config import ShopAppConfig


class ApiConfig(ShopAppConfig):
    name = "mechanic_shop.api"
    label = "api"
    verbose_name = "API"
    retention = {
        "old idempotency keys": "mechanic_shop.api.retention.old_keys",
        "idle rate counters": "mechanic_shop.api.retention.idle_counters",
        "addresses not seen for long": (
            "mechanic_shop.api.retention.forgotten_addresses"
        ),
    }

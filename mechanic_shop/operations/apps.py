from django.conf import settings

from mechanic_shop.core.app_config import ShopAppConfig


class OperationsConfig(ShopAppConfig):
    name = "mechanic_shop.operations"
    label = "operations"

    def ready(self) -> None:
        if settings.SLOW_QUERY_MILLISECONDS:
            from mechanic_shop.core.query_hooks import observe_queries

            from .slow_queries import SlowQueryLog

            limit = settings.SLOW_QUERY_MILLISECONDS
            observe_queries(SlowQueryLog(milliseconds=limit))

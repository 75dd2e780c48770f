from django.conf import settings

from mechanic_shop.core.app_config import ShopAppConfig


class OperationsConfig(ShopAppConfig):
    name = "mechanic_shop.operations"
    label = "operations"

    def ready(self) -> None:
        if settings.SLOW_QUERY_MILLISECONDS:
            from mechanic_shop.queries import watch

            from .slow_queries import SlowQueryLog

            watch(SlowQueryLog(milliseconds=settings.SLOW_QUERY_MILLISECONDS))

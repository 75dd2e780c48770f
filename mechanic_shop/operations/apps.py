from django.apps import AppConfig
from django.conf import settings

from mechanic_shop.queries import watch


class OperationsConfig(AppConfig):
    name = "mechanic_shop.operations"
    label = "operations"

    def ready(self) -> None:
        if settings.SLOW_QUERY_MILLISECONDS:
            from .slow_queries import SlowQueryLog

            watch(SlowQueryLog(milliseconds=settings.SLOW_QUERY_MILLISECONDS))

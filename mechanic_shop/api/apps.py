from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "mechanic_shop.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        from mechanic_shop import checks  # noqa: F401  (registers the system checks)

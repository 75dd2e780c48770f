from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        from mechanic_shop.accounts.services import when_no_login

        from .services import invite_walk_in

        when_no_login.append(invite_walk_in)

from django.db.models.signals import post_migrate

from mechanic_shop.core.app_config import Role, ShopAppConfig


class AccountsConfig(ShopAppConfig):
    name = "mechanic_shop.accounts"
    label = "accounts"
    verbose_name = "Accounts"
    api_enums = {"Role": "mechanic_shop.accounts.roles.ROLE_CHOICES"}
    # The admin keeps superusers out of a manager's reach.
    role_permissions = {Role.MANAGER: ("view_user", "add_user", "change_user")}
    throttles = {"LOGIN": "5/min", "PASSWORD": "5/min", "PASSWORD_RESET": "3/hour"}
    retention = {
        "ended API sessions": "mechanic_shop.accounts.retention.ended_sessions",
        "expired back-office sessions": (
            "mechanic_shop.accounts.retention.expired_cookie_sessions"
        ),
    }

    def ready(self) -> None:
        from . import login_signals  # noqa: F401  (connects the receivers)
        from .roles import grant_role_permissions

        post_migrate.connect(grant_role_permissions, sender=self)

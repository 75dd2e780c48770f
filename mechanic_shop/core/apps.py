from .app_config import Role, ShopAppConfig


class CoreConfig(ShopAppConfig):
    name = "mechanic_shop.core"
    label = "core"
    verbose_name = "System"
    role_permissions = {Role.MANAGER: ("view_queuedtask", "retry_queuedtask")}
    retention = {"finished tasks": "mechanic_shop.core.retention.old_tasks"}

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers the system checks)

from mechanic_shop.core.app_config import ALL_PERMISSIONS, Role, ShopAppConfig


class MechanicsConfig(ShopAppConfig):
    name = "mechanics"
    api_tags = {"mechanics": "Mechanics, and who of them has the most tickets."}
    role_permissions = {
        Role.TECHNICIAN: ("view_mechanic",),
        Role.MANAGER: ALL_PERMISSIONS,
    }
    public_permissions = ("view_mechanic",)
    throttles = {"CREATE_MECHANIC": "10/hour"}

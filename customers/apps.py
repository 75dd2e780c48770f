from mechanic_shop.core.app_config import ALL_PERMISSIONS, Role, ShopAppConfig


class CustomersConfig(ShopAppConfig):
    name = "customers"
    api_tags = {
        "auth": "Sign up, sign in, refresh tokens, change the password.",
        "customers": "Customers and their vehicles.",
        "vehicles": "Vehicles of all customers.",
    }
    api_enums = {"VinCheck": "customers.serializers.VIN_CHECKS"}
    role_permissions = {
        Role.TECHNICIAN: ("view_customer", "view_vehicle"),
        Role.SERVICE_ADVISOR: (
            "add_customer",
            "change_customer",
            "add_vehicle",
            "change_vehicle",
        ),
        Role.MANAGER: ALL_PERMISSIONS,
    }
    own_row_permissions = (
        "view_customer",
        "change_customer",
        "delete_customer",
        "view_vehicle",
        "add_vehicle",
        "change_vehicle",
        "delete_vehicle",
    )
    throttles = {"REGISTER": "3/hour", "CREATE_CUSTOMER": "5/hour"}

    def ready(self) -> None:
        from mechanic_shop.accounts.services import unknown_email_hooks

        from .services import invite_walk_in

        unknown_email_hooks.append(invite_walk_in)

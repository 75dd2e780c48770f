from mechanic_shop.core.app_config import ALL_PERMISSIONS, Role, ShopAppConfig


class InventoryConfig(ShopAppConfig):
    name = "inventory"
    api_tags = {"inventory": "Parts, and all movements of their stock."}
    api_enums = {
        "MovementReason": "inventory.models.MovementReason",
        "AdjustmentReason": "inventory.serializers.ADJUSTMENT_REASONS",
    }
    role_permissions = {
        Role.TECHNICIAN: ("view_part", "view_stockmovement"),
        Role.SERVICE_ADVISOR: ("adjust_quantity",),
        Role.MANAGER: ALL_PERMISSIONS,
    }
    throttles = {"CREATE_PART": "20/hour"}

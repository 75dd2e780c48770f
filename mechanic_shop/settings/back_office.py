"""How the back office looks, and what its sidebar holds."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

from .env import read_text

SHOP_NAME = read_text("SHOP_NAME", "Mechanic Shop")

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": SHOP_NAME,
    "SITE_HEADER": SHOP_NAME,
    "SITE_SYMBOL": "car_repair",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _: static("favicon.svg"),
        }
    ],
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Workshop",
                "items": [
                    {
                        "title": "Tickets",
                        "icon": "assignment",
                        "link": reverse_lazy("admin:tickets_serviceticket_changelist"),
                        "permission": "mechanic_shop.admin.menu.may_view_tickets",
                    },
                    {
                        "title": "Mechanics",
                        "icon": "engineering",
                        "link": reverse_lazy("admin:mechanics_mechanic_changelist"),
                        "permission": "mechanic_shop.admin.menu.may_view_mechanics",
                    },
                ],
            },
            {
                "title": "Customers",
                "separator": True,
                "items": [
                    {
                        "title": "Customers",
                        "icon": "person",
                        "link": reverse_lazy("admin:customers_customer_changelist"),
                        "permission": "mechanic_shop.admin.menu.may_view_customers",
                    },
                    {
                        "title": "Vehicles",
                        "icon": "directions_car",
                        "link": reverse_lazy("admin:customers_vehicle_changelist"),
                        "permission": "mechanic_shop.admin.menu.may_view_vehicles",
                    },
                ],
            },
            {
                "title": "Inventory",
                "separator": True,
                "items": [
                    {
                        "title": "Parts",
                        "icon": "inventory_2",
                        "link": reverse_lazy("admin:inventory_part_changelist"),
                        "permission": "mechanic_shop.admin.menu.may_view_parts",
                    },
                    {
                        "title": "Stock movements",
                        "icon": "swap_vert",
                        "link": reverse_lazy(
                            "admin:inventory_stockmovement_changelist"
                        ),
                        "permission": "mechanic_shop.admin.menu.may_view_movements",
                    },
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    {
                        "title": "Users",
                        "icon": "badge",
                        "link": reverse_lazy("admin:accounts_user_changelist"),
                        "permission": "mechanic_shop.admin.menu.may_view_users",
                    },
                    {
                        "title": "Groups",
                        "icon": "group",
                        "link": reverse_lazy("admin:auth_group_changelist"),
                        "permission": "mechanic_shop.admin.menu.may_view_groups",
                    },
                    {
                        "title": "Sessions",
                        "icon": "key",
                        "link": reverse_lazy("admin:accounts_session_changelist"),
                        "permission": "mechanic_shop.admin.menu.may_view_sessions",
                    },
                ],
            },
        ],
    },
}

"""How the back office looks, and what its sidebar holds."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

from .env import read_path, read_text

SHOP_NAME = read_text("SHOP_NAME", "Mechanic Shop")
#: Below this host, so that no page makes a browser call another one.
SHOP_LOGO = read_path("SHOP_LOGO")

#: The blue of the landing page. White reads on 600, and 500 on the dark pages' ground.
BLUE = {
    "50": "#eff6fc",
    "100": "#dcebf8",
    "200": "#bcd9f1",
    "300": "#8fc0ea",
    "400": "#6cacdf",
    "500": "#5a9cd6",
    "600": "#1d5fa8",
    "700": "#184f8d",
    "800": "#164374",
    "900": "#163a60",
    "950": "#0f2540",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": SHOP_NAME,
    "SITE_HEADER": SHOP_NAME,
    "SITE_ICON": SHOP_LOGO or None,
    "SITE_SYMBOL": "car_repair",
    "COLORS": {"primary": BLUE},
    "LOGIN": {"image": lambda _: static("login.svg")},
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _: static("favicon.svg"),
        }
    ],
    "SITE_URL": "/",
    "STYLES": [lambda _: static("back_office.css")],
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "dashboard.figures.show",
    # What Ctrl+K finds; the same module holds the view, which keeps no results.
    "COMMAND": {"search_callback": "dashboard.search.find"},
    "SIDEBAR": {
        "show_search": False,
        "command_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Workshop",
                "items": [
                    {
                        "title": "Dashboard",
                        "icon": "dashboard",
                        "link": reverse_lazy("admin:index"),
                    },
                    {
                        "title": "Work board",
                        "icon": "view_kanban",
                        "link": reverse_lazy("admin:tickets_serviceticket_board"),
                        "permission": "mechanic_shop.admin.menu.may_view_tickets",
                    },
                    {
                        "title": "Tickets",
                        "icon": "assignment",
                        "link": reverse_lazy("admin:tickets_serviceticket_changelist"),
                        "active": "mechanic_shop.admin.menu.is_on_tickets",
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

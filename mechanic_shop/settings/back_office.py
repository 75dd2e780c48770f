"""How the back office looks, and what its sidebar holds."""

from typing import Any

from django.templatetags.static import static

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
    "STYLES": [
        lambda _: static("back_office.css"),
        lambda _: static("back_office/layout.css"),
    ],
    # In this order: a form that waits for a session is not being sent yet.
    "SCRIPTS": [
        lambda _: static("back_office/session.js"),
        lambda _: static("back_office/unsaved_work.js"),
        lambda _: static("back_office/keyboard.js"),
    ],
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "dashboard.figures.dashboard_callback",
    # What Ctrl+K finds; the same module holds the view, which keeps no results.
    "COMMAND": {"search_callback": "dashboard.search.search_callback"},
    "SIDEBAR": {
        "show_search": False,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "mechanic_shop.admin.sidebar.navigation",
    },
}

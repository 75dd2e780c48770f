"""The installed apps. What the shop's own declare is read here, before they are loaded.

A new app is one line in ``SHOP_APPS``: see docs/adding-a-resource.md.
"""

from mechanic_shop.core.app_config import read_app_configs

#: In the order in which they build on each other.
SHOP_APPS = [
    "mechanic_shop.core",
    "mechanic_shop.accounts",
    "mechanic_shop.api",
    "mechanic_shop.spreadsheets",
    "mechanic_shop.operations",
    "customers",
    "mechanics",
    "inventory",
    "tickets",
    "dashboard",
    "portal",
    "demo",
]
SHOP_APP_CONFIGS = read_app_configs(SHOP_APPS)

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "simple_history",
    *SHOP_APPS,
]

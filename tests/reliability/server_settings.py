"""Production but for the manifest of the static files, which `make serve` collects."""

from mechanic_shop.settings.production import *  # noqa: F403
from mechanic_shop.settings.production import STORAGES

STORAGES["staticfiles"]["BACKEND"] = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
)

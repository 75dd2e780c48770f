"""Production, with static files as they lie in the source and nothing collected."""

from mechanic_shop.settings.production import *  # noqa: F403
from mechanic_shop.settings.production import STORAGES

STORAGES["staticfiles"]["BACKEND"] = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
)
WHITENOISE_USE_FINDERS = True

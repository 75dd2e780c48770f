"""The WSGI entry point of the production server."""

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mechanic_shop.settings.production")

application = get_wsgi_application()

from mechanic_shop.core.checks import warnings  # noqa: E402  (needs the settings)

# A request does not wait for ever for a hung database. A migration, whose one statement
# may take hours, has no such limit: it never comes by here.
if settings.DATABASES["default"]["ENGINE"].endswith("mysql"):
    settings.DATABASES["default"]["OPTIONS"] |= {"read_timeout": 5, "write_timeout": 5}

# Servers do not run Django's checks, and these must be heard at every start.
for warning in warnings():
    logging.getLogger(__name__).warning(warning)

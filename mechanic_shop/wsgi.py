"""The WSGI entry point of the production server."""

import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mechanic_shop.settings.production")

application = get_wsgi_application()

# Servers do not run Django's checks, and this one must be heard at every start.
if settings.SHOP_OPEN_ACCESS:
    from mechanic_shop.checks import OPEN_ACCESS

    logging.getLogger(__name__).warning(OPEN_ACCESS)

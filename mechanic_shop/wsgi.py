"""The WSGI entry point of the production server."""

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mechanic_shop.settings.production")

#: More than this is not read for the sake of an answer; the proxy does the same.
MOST_BYTES = 64 * 1024 * 1024
PIECE_BYTES = 64 * 1024

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def read_to_the_end(application: Application) -> Application:
    """Throw away what nobody has read of a body before the answer to it begins.

    Most clients, and proxies, listen no sooner than they have sent everything: they
    would see a broken connection where they were refused.
    """

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"  # as sent; Django counts chunks
        response = application(environ, start)
        if 0 < int(length) <= MOST_BYTES and environ.get("wsgi.input_terminated"):
            while environ["wsgi.input"].read(PIECE_BYTES):
                pass
        return response

    return answer


application = read_to_the_end(get_wsgi_application())

# These need the settings.
from mechanic_shop.core.checks import warnings  # noqa: E402
from mechanic_shop.core.statement_timeout import limit_statements  # noqa: E402

# A request does not wait for ever for a hung database, nor for a statement that it asks
# too much. A migration, whose one statement may take hours, has no such limit: it never
# comes by here.
database = settings.DATABASES["default"]
limit_statements(database)
if database["ENGINE"].endswith("mysql"):
    database["OPTIONS"] |= {"read_timeout": 5, "write_timeout": 5}

# Servers do not run Django's checks, and these must be heard at every start.
for warning in warnings():
    logging.getLogger(__name__).warning(warning)

"""How mail leaves the shop, from the one variable ``EMAIL_URL``."""

from urllib.parse import unquote, urlsplit

from .base import EMAIL_SCHEMES, EMAIL_URL

_url = urlsplit(EMAIL_URL)

EMAIL_BACKEND = EMAIL_SCHEMES[_url.scheme]
EMAIL_HOST = _url.hostname or "localhost"
EMAIL_PORT = _url.port or {"smtps": 465, "smtp+tls": 587}.get(_url.scheme, 25)
EMAIL_HOST_USER = unquote(_url.username or "")
EMAIL_HOST_PASSWORD = unquote(_url.password or "")
EMAIL_USE_SSL = _url.scheme == "smtps"
EMAIL_USE_TLS = _url.scheme == "smtp+tls"
EMAIL_TIMEOUT = 10

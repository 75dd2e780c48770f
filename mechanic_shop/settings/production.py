"""Settings for the shop's own server. It does not start half configured."""

from pathlib import Path

from .env import read_bool, read_dotenv, read_list, read_secret, refuse

read_dotenv(Path(__file__).resolve().parent.parent.parent / ".env")

from .base import *  # noqa: F403
from .base import LOGGING, METRICS_TOKEN, MIDDLEWARE, REST_FRAMEWORK, SIMPLE_JWT
from .mail import *  # noqa: F403

DEBUG = False
SECRET_KEY = read_secret("SECRET_KEY")
JWT_SECRET_KEY = read_secret("JWT_SECRET_KEY")
if JWT_SECRET_KEY == SECRET_KEY:
    raise refuse("JWT_SECRET_KEY", "The two secrets must differ.")
SIMPLE_JWT["SIGNING_KEY"] = JWT_SECRET_KEY
if METRICS_TOKEN:
    METRICS_TOKEN = read_secret("METRICS_TOKEN")

ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", [])
if not ALLOWED_HOSTS:
    raise refuse("ALLOWED_HOSTS", "The host names of the shop are missing.")
if "*" in ALLOWED_HOSTS:
    raise refuse("ALLOWED_HOSTS", "A wildcard lets anyone choose the links we mail.")

SECURE_SSL_REDIRECT = read_bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
# Without a proxy of ours in front, anyone may write that header.
if REST_FRAMEWORK["NUM_PROXIES"]:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = SECURE_SSL_REDIRECT
CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT

LOGGING["handlers"]["console"]["formatter"] = "json"

MIDDLEWARE.insert(
    MIDDLEWARE.index("django.middleware.security.SecurityMiddleware") + 1,
    "whitenoise.middleware.WhiteNoiseMiddleware",
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "mechanic_shop.static_files.ShopStaticFilesStorage"},
}

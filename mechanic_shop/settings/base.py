"""Settings that every environment shares.

Each value that an operator may change is read from the environment here, once, under
the same name everywhere; ``local`` and ``production`` only add what sets them apart.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from corsheaders.defaults import default_headers

from . import apps, back_office, openapi
from .addresses import own_url
from .env import (
    misspelled,
    read_bool,
    read_choice,
    read_database,
    read_int,
    read_origins,
    read_rate,
    read_text,
    read_time_zone,
    read_url,
    refuse,
)

#: Asked when everything has been read, which production and mail do after this.
FIND_MISSPELLED = misspelled
BASE_DIR = Path(__file__).resolve().parent.parent.parent

# --- The shop -------------------------------------------------------------------------

SHOP_NAME: str = back_office.SHOP_NAME
SHOP_LOGO: str = back_office.SHOP_LOGO
PUBLIC_URL = read_url("PUBLIC_URL", own_url(), schemes=("http", "https")).rstrip("/")
SHOP_OPEN_ACCESS = read_bool("SHOP_OPEN_ACCESS", default=False)

# --- Applications ---------------------------------------------------------------------

INSTALLED_APPS = apps.INSTALLED_APPS

MIDDLEWARE = [
    "mechanic_shop.api.middleware.request_id.RequestIdMiddleware",
    "mechanic_shop.api.middleware.security_log.SecurityLogMiddleware",
    # Outside of whatever refuses: a front end has to be able to read the refusal.
    "corsheaders.middleware.CorsMiddleware",
    "mechanic_shop.api.middleware.error_envelope.EnvelopeMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "mechanic_shop.csp.ShopCSPMiddleware",
    "mechanic_shop.api.middleware.body_limit.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "mechanic_shop.admin.middleware.LargeNumberMiddleware",
]

# These two see what the client gets, and all the time that it takes. Where they are off
# they are not there at all, and cost nothing.
ACCESS_LOG = read_bool("ACCESS_LOG", default=False)
if ACCESS_LOG:
    MIDDLEWARE.insert(0, "mechanic_shop.operations.access_log.AccessLogMiddleware")
METRICS_TOKEN = read_text("METRICS_TOKEN")
if METRICS_TOKEN:
    MIDDLEWARE.insert(0, "mechanic_shop.metrics.middleware.MetricsMiddleware")

ROOT_URLCONF = "mechanic_shop.urls"
WSGI_APPLICATION = "mechanic_shop.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "mechanic_shop" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database -------------------------------------------------------------------------

DATABASE = read_database("DATABASE_URL", f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
#: Whether DATABASE_URL leads to one server (empty) or to several that all take writes.
DATABASE_CLUSTER = read_choice("DATABASE_CLUSTER", choices=("galera",))
if DATABASE_CLUSTER and not DATABASE["ENGINE"].endswith("mysql"):
    raise refuse("DATABASE_CLUSTER", "Only MySQL's kind of database has a cluster.")
if DATABASE["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock when a transaction begins: SQLite knows no
    # SELECT … FOR UPDATE, so this is what makes two writers queue up.
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASE["OPTIONS"] = {
        "isolation_level": "read committed",
        "charset": "utf8mb4",
        "init_command": "SET sql_mode='TRADITIONAL', innodb_lock_wait_timeout=4",
        "connect_timeout": 1,
    }
    if DATABASE_CLUSTER:
        # What begins, be it by reading (1), changing (2) or adding (4), begins with all
        # that was acknowledged before, by whichever node: docs/adr/0015.
        DATABASE["OPTIONS"]["init_command"] += ", wsrep_sync_wait=7"
    DATABASE["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_general_ci"}
DATABASE["CONN_MAX_AGE"] = 60
DATABASE["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": DATABASE}

# --- Cache ----------------------------------------------------------------------------

REDIS_URL = read_text("REDIS_URL")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "pages": {"BACKEND": "mechanic_shop.api.list_cache.PageCache"},
    # What a process keeps at hand because it is true wherever it was found: pages by
    # their version, and totals that may be a little old.
    "process": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "process",
        "OPTIONS": {"MAX_ENTRIES": 100},
    },
}
#: A Redis that does not answer must cost less than doing without it: short waits, no
#: second try (a pool makes none of its own accord), and a client that remembers.
REDIS_OPTIONS: dict[str, Any] = {
    "REDIS_CLIENT_CLASS": (
        "mechanic_shop.core.redis_circuit_breaker.CircuitBreakerRedis"
    ),
    "SOCKET_CONNECT_TIMEOUT": 0.25,
    "SOCKET_TIMEOUT": 0.25,
    "IGNORE_EXCEPTIONS": True,
}
if REDIS_URL:
    CACHES["default"] = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": read_url(
            "REDIS_URL", REDIS_URL, schemes=("redis", "rediss", "unix")
        ),
        "KEY_PREFIX": "mechanic-shop",
        "OPTIONS": REDIS_OPTIONS,
    }
# Without the cache the guard of the login forms has to let everybody pass.
RATELIMIT_FAIL_OPEN = True

# --- Identity -------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["mechanic_shop.accounts.backends.ShopBackend"]
if SHOP_OPEN_ACCESS:
    AUTHENTICATION_BACKENDS.append("mechanic_shop.accounts.backends.OpenAccessBackend")

PASSWORD_HASHERS = [
    "mechanic_shop.accounts.hashers.ShopArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{VALIDATORS}.UserAttributeSimilarityValidator"},
    {"NAME": f"{VALIDATORS}.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "mechanic_shop.accounts.validators.MaximumLengthValidator"},
    {"NAME": f"{VALIDATORS}.CommonPasswordValidator"},
    {"NAME": f"{VALIDATORS}.NumericPasswordValidator"},
]
LOGIN_URL = "portal:sign-in"
LOGIN_REDIRECT_URL = "portal:home"

ACCESS_TOKEN_MINUTES = read_int("ACCESS_TOKEN_MINUTES", 60, minimum=1, maximum=1_440)
REFRESH_TOKEN_DAYS = read_int("REFRESH_TOKEN_DAYS", 7, minimum=1, maximum=365)
SIMPLE_JWT: dict[str, Any] = {
    "ALGORITHM": "HS256",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=ACCESS_TOKEN_MINUTES),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=REFRESH_TOKEN_DAYS),
    "AUTH_HEADER_TYPES": ("Bearer", "bearer"),
}

# --- API ------------------------------------------------------------------------------

MAX_BODY_BYTES = 1_048_576
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
#: What a view may take that is marked by ``allow_uploads``, such as an import.
MAX_UPLOAD_BYTES = 20 * MAX_BODY_BYTES

BROWSABLE_API = read_bool("BROWSABLE_API", default=True)
RENDERERS = ["mechanic_shop.api.json_renderer.ShopJSONRenderer"]
if BROWSABLE_API:
    RENDERERS.append("mechanic_shop.api.renderers.ShopBrowsableAPIRenderer")

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "mechanic_shop.accounts.authentication.SessionTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["mechanic_shop.api.permissions.ActionPermission"],
    "DEFAULT_RENDERER_CLASSES": RENDERERS,
    "DEFAULT_PARSER_CLASSES": [
        "mechanic_shop.api.parsers.StrictJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_FILTER_BACKENDS": ["mechanic_shop.api.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "mechanic_shop.api.schema.operations.ShopSchema",
    "EXCEPTION_HANDLER": "mechanic_shop.api.errors.exception_handler",
    "VIEW_NAME_FUNCTION": "mechanic_shop.api.browsable.labels.page_name",
    "COERCE_DECIMAL_TO_STRING": False,
    "NUM_PROXIES": read_int("NUM_PROXIES", 0, maximum=10),
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

#: Limit and seconds by rule; None where the environment switches a rule off.
THROTTLES = {
    name: read_rate(f"THROTTLE_{name}", default)
    for app in apps.SHOP_APP_CONFIGS
    for name, default in app.throttles.items()
}

SPECTACULAR_SETTINGS = openapi.SPECTACULAR_SETTINGS

CORS_ALLOWED_ORIGINS = read_origins("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/api(/.*)?$"
CORS_ALLOW_HEADERS = [
    *default_headers,
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "Allow",
    "Content-Disposition",
    "ETag",
    "Idempotency-Replayed",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "WWW-Authenticate",
    "X-Request-ID",
]

# --- HTTP -----------------------------------------------------------------------------

CSRF_FAILURE_VIEW = "mechanic_shop.api.error_pages.csrf_failure"
CSRF_TRUSTED_ORIGINS = read_origins("CSRF_TRUSTED_ORIGINS")
SESSION_ENGINE = "mechanic_shop.accounts.session_backend"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "mechanic_shop" / "static"]

# --- Language, time, mail -------------------------------------------------------------

LANGUAGE_CODE = "en-us"
# Django's own sentences in the words of people who do not know Django.
LOCALE_PATHS = [BASE_DIR / "mechanic_shop" / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = "mechanic_shop.formats"
USE_TZ = True
TIME_ZONE = read_time_zone("TIME_ZONE", "UTC")

EMAIL_SCHEMES = {
    "consolemail": "django.core.mail.backends.console.EmailBackend",
    "smtp": "django.core.mail.backends.smtp.EmailBackend",
    "smtps": "django.core.mail.backends.smtp.EmailBackend",
    "smtp+tls": "django.core.mail.backends.smtp.EmailBackend",
}
EMAIL_URL = read_url("EMAIL_URL", "consolemail://", schemes=tuple(EMAIL_SCHEMES))
DEFAULT_FROM_EMAIL = read_text("DEFAULT_FROM_EMAIL", "shop@localhost")

# --- History --------------------------------------------------------------------------

# Who changed what of people and catalogue fields, for reading. A revert would go past
# the services.
SIMPLE_HISTORY_REVERT_DISABLED = True

# --- Back office ----------------------------------------------------------------------

UNFOLD = back_office.UNFOLD

# --- Logging --------------------------------------------------------------------------

#: Statements that take so long are logged; 0 logs none.
SLOW_QUERY_MILLISECONDS = read_int("SLOW_QUERY_MILLISECONDS", 500, maximum=600_000)

LOG_LEVEL = read_text("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
    raise refuse("LOG_LEVEL", f"{LOG_LEVEL!r} is not a level of Python's logging.")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "mechanic_shop.core.request_id.RequestIdFilter"},
        "client_errors": {"()": "mechanic_shop.core.log_formatters.ClientErrorFilter"},
    },
    "formatters": {
        "json": {"()": "mechanic_shop.core.log_formatters.JsonFormatter"},
        "line": {
            "class": "mechanic_shop.core.log_formatters.LineFormatter",
            "format": "{asctime} {levelname} {name} [{request_id}] {message}",
            "style": "{",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id", "client_errors"],
        },
        "facts": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "filters": ["request_id"],
        },
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # For machines in every environment, and complete: LOG_LEVEL is about noise,
        # and a shop that turned it down would miss these lines when it needs them.
        "security": {"handlers": ["facts"], "level": "INFO", "propagate": False},
        "access": {"handlers": ["facts"], "level": "INFO", "propagate": False},
        "slow_queries": {"handlers": ["facts"], "level": "INFO", "propagate": False},
        # Without the handlers that Django gives them: those write input as it comes.
        # Never below INFO: at DEBUG Django writes the values of every query, and among
        # them are the keys of cookie sessions.
        "django": {
            "handlers": [],
            "level": "INFO" if LOG_LEVEL == "DEBUG" else LOG_LEVEL,
        },
        "django.server": {"handlers": [], "propagate": True},
    },
}

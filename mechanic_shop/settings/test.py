"""Settings for the tests: no ``.env`` file, cheap passwords, a database file.

``DATABASE_URL`` and ``REDIS_URL`` choose the services, as everywhere; without them the
suite runs on SQLite and local memory.
"""

import os

from .base import *  # noqa: F403
from .base import BASE_DIR, CACHES, DATABASES, SIMPLE_JWT, THROTTLES

DEBUG = False
SECRET_KEY = "insecure-test-key-that-is-longer-than-32-bytes"
JWT_SECRET_KEY = "insecure-test-token-key-that-is-longer-than-32-bytes"
SIMPLE_JWT["SIGNING_KEY"] = JWT_SECRET_KEY
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# The workers of one run share a Redis and must not share their keys.
CACHES["default"]["KEY_PREFIX"] = f"test-{os.environ.get('PYTEST_XDIST_WORKER', '')}"

# A file and not memory, because the race tests open one connection for each thread.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    ARTIFACTS = BASE_DIR / "test-artifacts"
    ARTIFACTS.mkdir(exist_ok=True)
    DATABASES["default"]["TEST"] = {"NAME": str(ARTIFACTS / "test.sqlite3")}
DATABASES["default"]["CONN_MAX_AGE"] = 0

# The limits have tests of their own that switch them on.
THROTTLES.update(dict.fromkeys(THROTTLES))

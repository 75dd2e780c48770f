"""Where the services are, and what every server of a run is told."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent

MYSQL = os.environ.get("BENCH_MYSQL", "mysql://root@127.0.0.1:3306")
REDIS = os.environ.get("BENCH_REDIS", "redis://127.0.0.1:6379/8")

#: The same for every server, so that none has more hands than another.
WORKERS = int(os.environ.get("BENCH_WORKERS", "2"))
THREADS = int(os.environ.get("BENCH_THREADS", "4"))

#: They live for one run on loopback and open nothing else.
SECRET_KEY = "a-key-that-signs-nothing-but-a-run-of-the-benchmark"  # noqa: S105
JWT_SECRET_KEY = "another-key-that-signs-nothing-but-the-benchmark"  # noqa: S105

LIMITS = (
    "REGISTER",
    "LOGIN",
    "PASSWORD",
    "PASSWORD_RESET",
    "CREATE_CUSTOMER",
    "CREATE_MECHANIC",
    "CREATE_TICKET",
    "CREATE_PART",
)


def database_url(name: str) -> str:
    return urlsplit(MYSQL)._replace(path=f"/{name}").geturl()


def environment_of_servers(database: str, port: int) -> dict[str, str]:
    """Only what a server needs: a developer's own settings must not leak in."""
    inherited = {
        name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ
    }
    return {
        **inherited,
        **{f"THROTTLE_{rule}": "" for rule in LIMITS},
        "DATABASE_URL": database_url(database),
        "REDIS_URL": REDIS,
        "SECRET_KEY": SECRET_KEY,
        "JWT_SECRET_KEY": JWT_SECRET_KEY,
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "false",
        "ACCESS_TOKEN_MINUTES": "1440",
        "DJANGO_SETTINGS_MODULE": "mechanic_shop.settings.production",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WORKERS": str(WORKERS),
        "THREADS": str(THREADS),
    }

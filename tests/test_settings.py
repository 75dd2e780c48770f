"""The server starts with sane settings, and with no others.

Every case is a process of its own, because settings are read once; they run side by
side, because starting one takes a moment.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

SECRET = "a-key-that-only-these-tests-use-0123456789"
GOOD = {
    "DJANGO_SETTINGS_MODULE": "mechanic_shop.settings.production",
    "SECRET_KEY": SECRET,
    "JWT_SECRET_KEY": SECRET[::-1],
    "ALLOWED_HOSTS": "shop.example",
}
LOCAL = {"DJANGO_SETTINGS_MODULE": "mechanic_shop.settings.local"}
START = "import django; django.setup()"

#: (variable that is named, what is set beside GOOD)
REFUSED: list[tuple[str, dict[str, str]]] = [
    ("SECRET_KEY", {"SECRET_KEY": ""}),
    ("SECRET_KEY", {"SECRET_KEY": "x" * 31}),
    ("SECRET_KEY", {"SECRET_KEY": "insecure-example-replace-me-with-48-random-bytes"}),
    ("JWT_SECRET_KEY", {"JWT_SECRET_KEY": ""}),
    ("JWT_SECRET_KEY", {"JWT_SECRET_KEY": "insecure-local-key-for-signing-tokens"}),
    ("JWT_SECRET_KEY", {"JWT_SECRET_KEY": SECRET}),
    ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": ""}),
    ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": "shop.example,*"}),
    ("SHOP_OPEN_ACCESS", {"SHOP_OPEN_ACCESS": "perhaps"}),
    ("NUM_PROXIES", {"NUM_PROXIES": "-1"}),
    ("ACCESS_TOKEN_MINUTES", {"ACCESS_TOKEN_MINUTES": "an hour"}),
    ("REFRESH_TOKEN_DAYS", {"REFRESH_TOKEN_DAYS": "99999999999"}),
    ("DATABASE_URL", {"DATABASE_URL": "postgres://shop@db/shop"}),
    ("DATABASE_CLUSTER", {"DATABASE_CLUSTER": "true"}),
    ("DATABASE_CLUSTER", {"DATABASE_CLUSTER": "galera"}),  # on SQLite
    ("REDIS_URL", {"REDIS_URL": "http://127.0.0.1"}),
    ("PUBLIC_URL", {"PUBLIC_URL": "shop.example"}),
    ("EMAIL_URL", {"EMAIL_URL": "carrier://pigeon"}),
    ("EMAIL_URL", {"EMAIL_URL": "smtp://mail.example:port"}),
    ("CORS_ALLOWED_ORIGINS", {"CORS_ALLOWED_ORIGINS": "app.example"}),
    ("CSRF_TRUSTED_ORIGINS", {"CSRF_TRUSTED_ORIGINS": "app.example"}),
    ("TIME_ZONE", {"TIME_ZONE": "Mars/Base"}),
    ("THROTTLE_LOGIN", {"THROTTLE_LOGIN": "5/fortnight"}),
    ("THROTTLE_CREATE_PART", {"THROTTLE_CREATE_PART": "0/hour"}),
    ("LOG_LEVEL", {"LOG_LEVEL": "LOUD"}),
    ("ACCESS_LOG", {"ACCESS_LOG": "sometimes"}),
    ("SLOW_QUERY_MILLISECONDS", {"SLOW_QUERY_MILLISECONDS": "0.5"}),
    ("METRICS_TOKEN", {"METRICS_TOKEN": "x" * 31}),
]
#: (environment, expression, what it prints)
ACCEPTED: list[tuple[dict[str, str], str, str]] = [
    (
        GOOD,
        "s.DEBUG, s.SECURE_SSL_REDIRECT, s.THROTTLES['LOGIN']",
        "False True (5, 60)",
    ),
    (
        LOCAL,
        "s.DEBUG, s.SHOP_OPEN_ACCESS, s.THROTTLES['REGISTER']",
        "True False (3, 3600)",
    ),
    ({**LOCAL, "THROTTLE_LOGIN": ""}, "s.THROTTLES['LOGIN']", "None"),
    ({**LOCAL, "METRICS_TOKEN": "short"}, "s.METRICS_TOKEN", "short"),
    (
        {**LOCAL, "SHOP_OPEN_ACCESS": "TRUE"},
        "s.AUTHENTICATION_BACKENDS[-1]",
        "mechanic_shop.accounts.backends.OpenAccessBackend",
    ),
]

Outcome = subprocess.CompletedProcess[str]


def start(environment: Mapping[str, str], code: str = START) -> Outcome:
    """Start Python with this environment and nothing else."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )


class TestWrongEnvironment:
    # One test for all of them: the processes run side by side, and only once.
    def test_stops_the_start_and_is_named_in_the_last_line(self) -> None:
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(start, [GOOD | wrong for _, wrong in REFUSED]))

        silent = [
            (wrong, last_line)
            for (name, wrong), done in zip(REFUSED, outcomes, strict=True)
            if name not in (last_line := done.stderr.strip().split("\n")[-1]).split()
        ]
        assert silent == []
        assert all(done.returncode != 0 for done in outcomes)
        assert not any(SECRET in done.stderr for done in outcomes)


class TestRightEnvironment:
    @pytest.mark.parametrize(("environment", "expression", "printed"), ACCEPTED)
    def test_starts_and_means_what_it_says(
        self, environment: dict[str, str], expression: str, printed: str
    ) -> None:
        code = f"{START}; from django.conf import settings as s; print({expression})"

        done = start(environment, code)

        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.strip() == printed


class TestDatabaseSession:
    MYSQL = {**GOOD, "DATABASE_URL": "mysql://shop@127.0.0.1/shop"}
    #: Without Django's start, for which MySQL's driver would have to be there.
    SHOW = (
        "from django.conf import settings as s;"
        "print(s.DATABASES['default']['OPTIONS']['init_command'])"
    )

    @pytest.mark.parametrize(
        ("cluster", "waits"), [("", False), ("galera", True)], ids=["server", "cluster"]
    )
    def test_waits_on_a_cluster_for_what_it_must_see(
        self, cluster: str, waits: bool
    ) -> None:
        done = start({**self.MYSQL, "DATABASE_CLUSTER": cluster}, self.SHOW)

        assert "sql_mode='TRADITIONAL'" in done.stdout
        assert ("wsrep_sync_wait=7" in done.stdout) is waits

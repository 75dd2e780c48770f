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
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError

from mechanic_shop.startup import why_no_database

SECRET = "a-key-that-only-these-tests-use-0123456789"
GOOD = {
    "DJANGO_SETTINGS_MODULE": "mechanic_shop.settings.production",
    "SECRET_KEY": SECRET,
    "JWT_SECRET_KEY": SECRET[::-1],
    "ALLOWED_HOSTS": "shop.example",
}
LOCAL = {"DJANGO_SETTINGS_MODULE": "mechanic_shop.settings.local"}
EVERY = "0.0.0.0"  # noqa: S104
START = "import django; django.setup()"
SETTINGS = "import socket; from django.conf import settings as s"
WARNINGS = "from mechanic_shop.core import checks; print(*checks.warnings(), sep='; ')"

#: (variable that is named, what is set beside GOOD)
REFUSED: list[tuple[str, dict[str, str]]] = [
    ("SECRET_KEY", {"SECRET_KEY": ""}),
    ("SECRET_KEY", {"SECRET_KEY": "x" * 31}),
    ("SECRET_KEY", {"SECRET_KEY": "insecure-example-replace-me-with-48-random-bytes"}),
    ("JWT_SECRET_KEY", {"JWT_SECRET_KEY": ""}),
    ("JWT_SECRET_KEY", {"JWT_SECRET_KEY": "jwt-secret-key-change-in-production"}),
    ("JWT_SECRET_KEY", {"JWT_SECRET_KEY": "your-super-secret-jwt-key-of-32-bytes"}),
    ("SECRET_KEY", {"SECRET_KEY": "Please_change_me_to_something_that_is_long"}),
    ("SECRET_KEY", {"SECRET_KEY": "django-insecure-0123456789abcdefghijklmnop"}),
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
    (LOCAL, "s.PUBLIC_URL", "http://127.0.0.1:8000"),
    ({**LOCAL, "PORT": "8123"}, "s.PUBLIC_URL", "http://127.0.0.1:8123"),
    ({**LOCAL, "HOST": "::1"}, "s.PUBLIC_URL", "http://[::1]:8000"),
    ({**LOCAL, "HOST": EVERY}, "s.PUBLIC_URL", "http://127.0.0.1:8000"),
    (
        {**LOCAL, "HOST": EVERY},
        "socket.gethostname().lower() in s.ALLOWED_HOSTS",
        "True",
    ),
    ({**LOCAL, "HOST": "10.1.2.3"}, "s.ALLOWED_HOSTS[-1]", "10.1.2.3"),
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
        code = f"{START}; {SETTINGS}; print({expression})"

        done = start(environment, code)

        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.strip() == printed


class TestWarnings:
    @pytest.mark.parametrize(
        ("environment", "warning"),
        [
            ({}, ""),
            ({"SHOP_LOGO": "/static/favicon.svg"}, ""),
            ({"SHOP_LOGO": "/elsewhere/logo.svg"}, ""),
            (
                {"SHOP_LOGO": "/static/none.svg"},
                "SHOP_LOGO: there is no file none.svg in mechanic_shop/static.",
            ),
            (
                {"SECRET_KEYS": "x"},
                "Nothing reads the environment variable SECRET_KEYS;"
                " is SECRET_KEY meant?",
            ),
            (
                {"DATABASE_URI": "x"},
                "Nothing reads the environment variable DATABASE_URI;"
                " is DATABASE_URL meant?",
            ),
            ({"HOSTNAME": "h", "LOGNAME": "l", "TERM": "t", "LANG": "C"}, ""),
        ],
    )
    def test_are_said_and_stop_nothing(
        self, environment: dict[str, str], warning: str
    ) -> None:
        done = start(GOOD | environment, f"{START}; {WARNINGS}")

        assert (done.returncode, done.stdout.strip()) == (0, warning)

    def test_are_logged_by_the_server(self) -> None:
        done = start(GOOD | {"SECRET_KEYS": "x"}, "import mechanic_shop.wsgi")

        assert done.returncode == 0
        assert "is SECRET_KEY meant?" in done.stderr


class TestManage:
    @pytest.mark.parametrize(
        ("environment", "said"),
        [
            (
                {"SECRET_KEY": ""},
                "A secret is missing. Check the environment variable SECRET_KEY",
            ),
            (
                {"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"},
                "The database cannot be used: unable to open database file."
                " Check the environment variable DATABASE_URL",
            ),
        ],
    )
    def test_says_in_one_line_what_is_wrong(
        self, environment: dict[str, str], said: str
    ) -> None:
        done = manage(GOOD | environment, "migrate")

        assert (done.returncode, done.stderr) == (1, f"{said}\n")

    def test_says_how_to_migrate(self, tmp_path: Path) -> None:
        empty = {"DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}"}

        done = manage(GOOD | empty, "check_migrated")

        assert done.returncode == 1
        [line] = done.stderr.splitlines()
        assert line.endswith("Run: deploy/shop migrate")


def manage(environment: Mapping[str, str], *arguments: str) -> Outcome:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


class TestUnreachable:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (
                OperationalError(1045, "Access denied for user"),
                "Access denied for user",
            ),
            (OperationalError(1049, "Unknown database 'x'"), "Unknown database 'x'"),
            (OperationalError(2002, "Can't connect"), "Can't connect"),
            (OperationalError(1213, "Deadlock found"), ""),
            (OperationalError("database is locked"), ""),
            (ValueError("unable to open database file"), ""),
        ],
    )
    def test_is_told_from_faults(self, error: Exception, reason: str) -> None:
        assert why_no_database(error) == reason


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

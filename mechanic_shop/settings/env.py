"""Readers for environment variables that refuse what they do not understand.

A setting that is silently wrong is worse than a server that does not start, so every
reader raises ``ImproperlyConfigured`` with a message that ends in the variable's name.
"""

import os
import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

env = environ.Env()

TRUE = frozenset({"true", "1", "yes", "on"})
FALSE = frozenset({"false", "0", "no", "off", ""})
#: Neither ``//host/…``, which is somewhere else, nor anything that ends an attribute.
OWN_PATH = re.compile(r"(/[\w.~%-]+)+", re.ASCII)

#: Prefix of every key that is written down in this repository; production refuses it.
EXAMPLE_PREFIX = "insecure-"
#: How examples of other projects begin, or what they ask for.
EXAMPLE = re.compile(
    rf"^({EXAMPLE_PREFIX}|django-insecure|your[-_ ])|change[-_ ]?(me|this|in[-_ ]prod)"
    "|replace[-_ ]?(me|this)|(jwt|super)[-_ ]secret|secret[-_ ]key",
    re.IGNORECASE,
)
MINIMUM_SECRET_BYTES = 32
#: Read by make and the server, and by compose.
OF_SERVER = frozenset({"HOST", "PORT", "WORKERS", "THREADS", "DRAIN_SECONDS"})
#: The names of all variables that were asked for.
known: set[str] = set()


def read_dotenv(path: Path) -> None:
    """Load a ``.env`` file; variables that are already set win."""
    if path.is_file():
        env.read_env(path, encoding="utf-8-sig")


def refuse(name: str, reason: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{reason} Check the environment variable {name}")


def _read(name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
    known.add(name)
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        return parse(raw)
    except (ValueError, KeyError) as error:
        raise refuse(name, f"{raw!r} is not {expected}.") from error


def misspelled() -> dict[str, str]:
    """Map the variables that nothing reads to those that their names resemble."""
    found = {}
    for name in sorted(os.environ.keys() - known - OF_SERVER):
        for close in get_close_matches(name, known | OF_SERVER, n=1, cutoff=0.83):
            found[name] = close
    return found


def read_text(name: str, default: str = "") -> str:
    return _read(name, default, str, "text")


def read_bool(name: str, *, default: bool) -> bool:
    """Read a switch: true/false, 1/0, yes/no or on/off, whatever the case."""

    def parse(raw: str) -> bool:
        word = raw.lower()
        if word not in TRUE | FALSE:
            raise ValueError(word)
        return word in TRUE

    return _read(name, default, parse, "true or false")


def read_int(name: str, default: int, *, minimum: int = 0, maximum: int) -> int:
    def parse(raw: str) -> int:
        number = int(raw)
        if not minimum <= number <= maximum:
            raise ValueError(raw)
        return number

    return _read(name, default, parse, f"a whole number from {minimum} to {maximum}")


def read_choice(name: str, *, choices: tuple[str, ...]) -> str:
    """Read one of some words; empty where none is set."""

    def parse(raw: str) -> str:
        if raw not in choices:
            raise ValueError(raw)
        return raw

    return _read(name, "", parse, " or ".join(choices))


def read_list(name: str, default: list[str]) -> list[str]:
    """Read a comma-separated list."""

    def parse(raw: str) -> list[str]:
        return [item.strip() for item in raw.split(",") if item.strip()]

    return _read(name, default, parse, "a comma-separated list")


def read_origins(name: str) -> list[str]:
    """Read a comma-separated list of origins like ``https://app.example``."""
    origins = read_list(name, [])
    for origin in origins:
        parts = urlsplit(origin)
        bare = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme not in {"http", "https"} or origin != bare or not parts.netloc:
            raise refuse(name, f"{origin!r} is not an origin like https://app.example.")
    return origins


def read_time_zone(name: str, default: str) -> str:
    def parse(raw: str) -> str:
        return ZoneInfo(raw).key

    return _read(name, default, parse, "a time zone like Europe/Berlin")


def read_url(name: str, default: str, *, schemes: tuple[str, ...]) -> str:
    def parse(raw: str) -> str:
        scheme, separator, _ = raw.partition("://")
        if not separator or scheme not in schemes:
            raise ValueError(raw)
        parts = urlsplit(raw)
        parts.port  # noqa: B018  (raises when it is no number)
        if scheme in {"http", "https"} and not parts.netloc:
            raise ValueError(raw)
        return raw

    return _read(name, default, parse, f"a URL that begins with {' or '.join(schemes)}")


def read_path(name: str) -> str:
    """Read the path of something that this host serves, like ``/static/logo.svg``."""

    def parse(raw: str) -> str:
        if not OWN_PATH.fullmatch(raw):
            raise ValueError(raw)
        return raw

    return _read(name, "", parse, "a path on this host like /static/logo.svg")


def read_secret(name: str) -> str:
    """Read a key that must be set, long, and none of this project's examples."""
    known.add(name)
    secret = os.environ.get(name, "").strip()
    if not secret:
        raise refuse(name, "A secret is missing.")
    if len(secret.encode()) < MINIMUM_SECRET_BYTES:
        raise refuse(name, f"A secret is shorter than {MINIMUM_SECRET_BYTES} bytes.")
    if EXAMPLE.search(secret):
        raise refuse(name, "A secret still has a published example value.")
    return secret


#: Seconds of the words in which a rate may be given.
PERIODS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86_400}
PERIODS |= {"second": 1, "minute": 60, "day": 86_400}


def read_rate(name: str, default: str) -> tuple[int, int] | None:
    """Read a rate like ``5/min`` as (limit, seconds); empty means none."""
    known.add(name)
    raw = os.environ.get(name, default).strip()
    if not raw:
        return None
    limit, _, period = raw.partition("/")
    if not limit.isdecimal() or int(limit) < 1 or period not in PERIODS:
        raise refuse(name, f"{raw!r} is not a rate like 5/min, 3/hour or 100/day.")
    return int(limit), PERIODS[period]


def read_database(name: str, default: str) -> dict[str, Any]:
    """Read a database URL: ``sqlite:///path`` or ``mysql://user:password@host/name``."""

    def parse(raw: str) -> dict[str, Any]:
        config = dict(env.db_url_config(raw))
        if config["ENGINE"] not in {
            "django.db.backends.sqlite3",
            "django.db.backends.mysql",
        }:
            raise ValueError(raw)
        if not config["NAME"]:
            raise ValueError(raw)
        return config

    raw = read_text(name, default)
    try:
        return parse(raw)
    except Exception as error:  # environ raises whatever its parser stumbles over
        raise refuse(
            name, "The database URL is not sqlite:///path or mysql://user:pass@host/db."
        ) from error

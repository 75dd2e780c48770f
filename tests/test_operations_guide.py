"""``docs/operations.md`` says what the code does: settings, metrics, commands."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import pytest
from django.conf import LazySettings
from django.core.management import get_commands
from prometheus_client import CollectorRegistry
from rest_framework.test import APIClient

from mechanic_shop.accounts.models import User
from mechanic_shop.accounts.services import start_session
from mechanic_shop.metrics.prometheus import PrometheusMeter
from mechanic_shop.operations.purging import BATCH_ROWS

from .support.server import ROOT
from .test_docs import variables_of_make, variables_of_settings
from .test_settings import start

GUIDE = (ROOT / "docs" / "operations.md").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()

ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+) \| (.+) \| (.+) \|$", re.M)
SETTING = re.compile(r"^#([A-Z_]+)=(.*)$", re.M)
SERVE = re.compile(r"^#   make serve (.+)$", re.M)
#: Commands stand in blocks or between backticks; "the shop knows" is no command.
BLOCK = re.compile(r"^ *```bash\n(.*?)^ *```", re.M | re.S)
INLINE = re.compile(r"`([^`\n]+)`")
METRIC = re.compile(r"\bshop_[a-z_]+\b")
SUFFIX = re.compile(r"_(total|bucket|sum|count)$")

#: Prints what each reader of the settings is told to take where nothing is set.
READ_DEFAULTS = """
import inspect, json
from mechanic_shop.settings import env
found = {}
def noting(read):
    signature = inspect.signature(read)
    def noted(name, *args, **kwargs):
        call = signature.bind(name, *args, **kwargs)
        call.apply_defaults()
        found[name] = call.arguments.get("default", "")
        return read(name, *args, **kwargs)
    return noted
for name in [name for name in vars(env) if name.startswith("read_")]:
    if name != "read_dotenv":
        setattr(env, name, noting(getattr(env, name)))
import mechanic_shop.settings.local, mechanic_shop.settings.production
print(json.dumps(found))
"""
#: Where the default depends on something, the guide says so in words.
IN_WORDS = {
    "SECRET_KEY": "production: required",
    "JWT_SECRET_KEY": "production: required",
    "ALLOWED_HOSTS": "production: required, else `localhost,127.0.0.1,[::1]`",
    "DATABASE_URL": "`db.sqlite3` beside `manage.py`",
}


class Row(NamedTuple):
    meaning: str
    default: str
    example: str


def table() -> dict[str, Row]:
    section = GUIDE.partition("<!-- configuration:start -->")[2]
    rows = ROW.findall(section.partition("<!-- configuration:end -->")[0])
    assert len({name for name, *_ in rows}) == len(rows)
    return {name: Row(*rest) for name, *rest in rows}


def examples() -> dict[str, str]:
    [of_make] = SERVE.findall(EXAMPLE)
    pairs = [pair.split("=") for pair in of_make.split()]
    of_shop = EXAMPLE.partition("# --- deploy/compose.yaml")[0]
    return dict(SETTING.findall(of_shop)) | dict(pairs)


def commands() -> str:
    """Return all code of the guide, each piece on lines of its own."""
    return "\n".join([*BLOCK.findall(GUIDE), *INLINE.findall(BLOCK.sub("", GUIDE))])


def defaults() -> dict[str, str]:
    """Ask the settings, and the Makefile for what only the server reads."""
    secrets = {"SECRET_KEY": "s" * 40, "JWT_SECRET_KEY": "j" * 40}
    done = start({**secrets, "ALLOWED_HOSTS": "shop.example"}, READ_DEFAULTS)
    assert done.returncode == 0, done.stderr
    read = {name: spelled(value) for name, value in json.loads(done.stdout).items()}
    make = dict(re.findall(r"^([A-Z_]+) \?= (.*)$", MAKEFILE, re.M))
    return read | {name: make[name] for name in variables_of_make()}


def spelled(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


class TestConfiguration:
    def test_lists_what_is_read_and_nothing_else(self) -> None:
        assert table().keys() == variables_of_settings() | variables_of_make()

    def test_has_the_examples_of_env_example(self) -> None:
        written = {name: f"`{value}`" for name, value in examples().items()}

        assert {name: row.example for name, row in table().items()} == written

    def test_has_the_defaults_of_the_code(self) -> None:
        found = defaults()
        said = {
            name: row.default.partition(":")[0].replace("none", "``")
            if row.default.startswith("none")
            else row.default
            for name, row in table().items()
        }

        assert {name: said[name] for name in IN_WORDS} == IN_WORDS
        plain = {name: f"`{value}`" for name, value in found.items()}
        assert said == {**plain, **IN_WORDS}


class TestMetrics:
    def test_in_the_guide_are_those_that_are_counted(self) -> None:
        registry = CollectorRegistry()
        PrometheusMeter(registry)
        counted = {family.name for family in registry.collect()}

        named = {SUFFIX.sub("", name) for name in METRIC.findall(GUIDE)}

        assert named == counted

    def test_have_the_labels_that_the_guide_says(self) -> None:
        for name, labels in re.findall(r"^\| `(shop_\w+)` \| (.*?) \|", GUIDE, re.M):
            found = re.findall(r"`(\w+)`", labels)
            metric = METERS[SUFFIX.sub("", name)]
            assert list(metric._labelnames) == found, name


METERS = {
    metric._name: metric
    for metric in vars(PrometheusMeter(CollectorRegistry())).values()
}


class TestCommands:
    def test_of_manage_exist(self) -> None:
        named = re.findall(r"^ *(?:manage\.py|shop) ([a-z_]+)", commands(), re.M)

        assert {"migrate", "purge", "backup", "restore", "check_invariants"} <= {*named}
        assert set(named) - get_commands().keys() == set()

    def test_of_make_exist(self) -> None:
        named = re.findall(r"^ *make (?:-C \S+ )?([a-z-]+)", commands(), re.M)
        targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))

        assert {"backup", "restore", "purge", "setup-mysql"} <= {*named}
        assert set(named) - targets == set()

    def test_of_systemd_name_units_that_exist(self) -> None:
        units = set(re.findall(r"\bmechanic-shop[a-z-]*\.(?:service|timer)\b", GUIDE))

        assert units
        assert [u for u in units if not (ROOT / "deploy/systemd" / u).exists()] == []

    def test_purge_at_most_so_many_rows_at_once(self) -> None:
        assert f"at most {BATCH_ROWS:,} rows" in GUIDE


@pytest.mark.django_db
class TestNewSecretKey:
    def test_signs_everybody_out_of_the_api_as_the_guide_says(
        self, owner: User, anonymous: APIClient, settings: LazySettings
    ) -> None:
        token = start_session(user=owner).access_token
        bearer = {"Authorization": f"Bearer {token}"}
        assert anonymous.get("/api/auth/me", headers=bearer).status_code == 200

        settings.SECRET_KEY = "another-key-that-is-longer-than-32-bytes"

        assert anonymous.get("/api/auth/me", headers=bearer).status_code == 401

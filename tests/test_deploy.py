"""What lies in ``deploy`` fits the program: settings, limits, files, rights.

``make test-topology`` runs the proxy and the program as they are described there.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from mechanic_shop.server.__main__ import KILL_SECONDS

from .support.server import ROOT
from .test_docs import variables_of_make, variables_of_settings
from .test_settings import start
from .topology import front
from .topology.image import copied, given, instructions, is_ignored, variables

DEPLOY = ROOT / "deploy"
CONFIG = (DEPLOY / "haproxy.cfg").read_text()
APPS, OF_OTHERS = ("app1", "app2", "migrate"), ("proxy", "db", "cache")
#: ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}``.
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_]+)(?::(-|\?)([^}]*))?\}")
EXAMPLES = {
    "SECRET_KEY": "a-key-that-only-these-tests-use-0123456789",
    "JWT_SECRET_KEY": "another-key-that-only-these-tests-use-0123456789",
    "SHOP_HOST": "shop.example.com",
    "MYSQL_PASSWORD": "a-password-of-these-tests",
}

Service = dict[str, Any]


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    composition = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    found: dict[str, Service] = composition["services"]
    return found


def environment_of(service: Service) -> dict[str, str]:
    """Return what a service gets where only the examples are set."""

    def value_of(match: re.Match[str]) -> str:
        name, kind, default = match.groups()
        return EXAMPLES.get(name, default if kind == "-" else "")

    return {
        name: VARIABLE.sub(value_of, value)
        for name, value in service["environment"].items()
        if value is not None
    }


def seconds(text: str) -> float:
    """Read HAProxy's and compose's times, like 500ms, 5s or 1m."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]


def configured(name: str) -> str:
    """Return the one value that follows a name in the proxy's configuration."""
    [value] = set(re.findall(rf"(?:^|\s){name} (\S+)", CONFIG))
    return str(value)


def preset(name: str) -> int:
    """Return a number that the proxy's configuration holds for itself."""
    [value] = re.findall(rf"presetenv {name} (\d+)", CONFIG)
    return int(value)


class TestComposition:
    def test_hands_every_setting_to_the_app_servers_and_no_other(
        self, services: dict[str, Service]
    ) -> None:
        known = variables_of_settings() | variables_of_make()

        for name in APPS:
            assert sorted(services[name]["environment"]) == sorted(known)

    def test_makes_an_environment_that_production_accepts(
        self, services: dict[str, Service]
    ) -> None:
        environment = environment_of(services["app1"])
        environment["DJANGO_SETTINGS_MODULE"] = "mechanic_shop.settings.production"
        shown = "s.DATABASE['HOST'], s.ALLOWED_HOSTS, s.SECURE_PROXY_SSL_HEADER[1]"

        done = start(
            environment, f"from django.conf import settings as s; print({shown})"
        )

        assert done.stderr == ""
        assert done.stdout.strip() == "db ['shop.example.com'] https"

    def test_asks_for_what_has_no_default(self, services: dict[str, Service]) -> None:
        required = {
            match[1]
            for service in services.values()
            for value in (service.get("environment") or {}).values()
            for match in VARIABLE.finditer(value or "")
            if match[2] == "?"
        }

        assert required == set(EXAMPLES)

    def test_takes_nothing_that_the_example_does_not_show(self) -> None:
        names = {m[1] for m in VARIABLE.finditer((DEPLOY / "compose.yaml").read_text())}
        example = (ROOT / ".env.example").read_text()

        missing = {name for name in names if f"{name}=" not in example}

        assert missing == {"SHOP_VERSION"}  # of who builds images elsewhere

    def test_publishes_the_proxy_and_nothing_else(
        self, services: dict[str, Service]
    ) -> None:
        published = {name for name in services if "ports" in services[name]}

        assert published == {"proxy"}
        assert services["proxy"]["networks"] == ["edge"]
        for name in ("db", "cache"):
            assert services[name]["networks"] == ["data"]

    def test_closes_the_network_of_the_data(self) -> None:
        composition = yaml.safe_load((DEPLOY / "compose.yaml").read_text())

        assert composition["networks"]["data"] == {"internal": True}

    @pytest.mark.parametrize("name", [*APPS, *OF_OTHERS])
    def test_gives_no_service_more_than_it_needs(
        self, name: str, services: dict[str, Service]
    ) -> None:
        service = services[name]

        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"]
        assert service["pids_limit"]
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
        # MySQL alone keeps something.
        assert service.get("read_only") is (None if name == "db" else True)
        assert ("volumes" in service) is (name in {"db", "proxy"})

    @pytest.mark.parametrize("name", OF_OTHERS)
    def test_says_which_version_it_takes(
        self, name: str, services: dict[str, Service]
    ) -> None:
        assert re.fullmatch(r"[a-z]+:\d[\w.-]*", services[name]["image"])

    def test_migrates_before_a_server_starts(
        self, services: dict[str, Service]
    ) -> None:
        assert services["migrate"]["depends_on"] == {
            "db": {"condition": "service_healthy"}
        }
        for name in ("app1", "app2"):
            waits_for = services[name]["depends_on"]["migrate"]
            assert waits_for == {"condition": "service_completed_successfully"}

    def test_mounts_files_that_are_there(self, services: dict[str, Service]) -> None:
        sources = [each.split(":")[0] for each in services["proxy"]["volumes"]]

        assert len(sources) == 3
        assert all((DEPLOY / source).exists() for source in sources)


class TestProxy:
    def test_gets_what_its_configuration_asks_for(
        self, services: dict[str, Service]
    ) -> None:
        own = set(re.findall(r"presetenv (\w+) \d+", CONFIG))
        asked_for = {match[1] for match in VARIABLE.finditer(CONFIG)} - own

        assert asked_for == set(services["proxy"]["environment"])

    def test_finds_both_servers(self, services: dict[str, Service]) -> None:
        given = services["proxy"]["environment"]
        port = services["app1"]["environment"]["PORT"]

        assert given["APP_ONE"] == f"app1:{port}"
        assert given["APP_TWO"] == f"app2:{port}"

    def test_has_the_limits_of_the_settings(self) -> None:
        limits = {name: preset(name) for name in ("MAX_BODY_BYTES", "MAX_UPLOAD_BYTES")}

        assert limits == {name: getattr(settings, name) for name in limits}

    def test_leaves_a_server_a_thread_for_those_who_ask_how_it_is(
        self, services: dict[str, Service]
    ) -> None:
        given = environment_of(services["app1"])
        threads = int(given["WORKERS"]) * int(given["THREADS"])
        kinds = ("SHORT_REQUESTS", "LONG_REQUESTS", "UNREADY_REQUESTS")

        # The check of a hung server keeps a thread too, longer than until the next one.
        assert threads - sum(map(preset, kinds)) >= 4

    def test_waits_for_the_longest_request(self, services: dict[str, Service]) -> None:
        longest = seconds(configured("timeout server"))
        hard_stop = seconds(configured("hard-stop-after"))

        assert longest > KILL_SECONDS
        assert hard_stop > longest
        assert seconds(services["proxy"]["stop_grace_period"]) > hard_stop

    def test_notices_a_server_that_leaves_before_it_is_gone(
        self, services: dict[str, Service]
    ) -> None:
        drain = int(services["app1"]["environment"]["DRAIN_SECONDS"])
        # The last good answer may have come just before; then each refusal takes a
        # round, the first an ordinary one.
        rounds = int(configured("fall")) - 1
        noticed = seconds(configured("inter")) + rounds * seconds(
            configured("fastinter")
        )

        assert drain == front.DRAIN_SECONDS
        assert drain >= 2 * noticed
        assert seconds(services["app1"]["stop_grace_period"]) > drain + KILL_SECONDS


class TestImage:
    def test_has_all_packages_and_no_other_folder(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        packages = project["tool"]["importlinter"]["root_packages"]

        folders = [path.name for path in given() if path.is_dir()]

        assert sorted(folders) == sorted(packages)

    def test_has_no_file_but_manage_py_and_requirements(self) -> None:
        files = {path.name for path in given() if path.is_file()}

        assert {name for name in files if not name.startswith("requirements")} == {
            "manage.py"
        }

    def test_has_nothing_that_git_ignores(self) -> None:
        ignored = (ROOT / ".gitignore").read_text().splitlines()
        names = [line.strip("/").replace("*", "x") for line in ignored if line]

        assert [name for name in names if not is_ignored(name)] == []

    def test_installs_from_files_that_are_there(self) -> None:
        build, _ = instructions()

        assert list(copied(build)) == ["requirements.txt", "requirements-mysql.txt"]
        assert all((ROOT / name).is_file() for name in copied(build))

    def test_has_no_tests(self) -> None:
        assert all(is_ignored(name) for name in ("tests", "testing"))

    def test_runs_as_nobody_in_particular(self) -> None:
        *_, stage = instructions()
        names = [each.name for each in stage]
        [user] = [each.words for each in stage if each.name == "USER"]

        assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
        assert "RUN" not in names[names.index("USER") :]

    def test_has_no_compiler_and_no_secret(self) -> None:
        *_, stage = instructions()
        words = " ".join(each.words for each in stage if each.name == "RUN")

        assert not re.search(r"\b(gcc|pkg-config|\w+-dev|pip)\b", words)
        known = variables_of_make() | {
            "DJANGO_SETTINGS_MODULE",
            "PYTHONUNBUFFERED",
            "PYTHONDONTWRITEBYTECODE",
        }
        assert variables(stage).keys() <= known

    @pytest.mark.parametrize("name", ["CMD", "HEALTHCHECK"])
    def test_starts_modules_that_are_there(self, name: str) -> None:
        *_, stage = instructions()
        [words] = [each.words for each in stage if each.name == name]

        [module] = re.findall(r'\["python", "-m", "([\w.]+)"\]$', words)

        path = ROOT / Path(*module.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file()

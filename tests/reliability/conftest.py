from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

import pytest
from _pytest.mark.structures import ParameterSet

from .services import MariaDB, Redis, Service
from .shop import Shop, running_shop

S = TypeVar("S", bound=Service)

HERE = Path(__file__).parent
SETUPS = ("sqlite", "mariadb")
KINDS = ("product", "naive")
MUST_FAIL = pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="looks first and acts afterwards; a test that passes here proves nothing",
)

GetShop = Callable[[str, str], Shop]


class Services:
    """The MariaDB and the Redis of all shops of a run; they start when first used."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self._folder = folder
        self._running = running

    @cached_property
    def mariadb(self) -> MariaDB:
        return self._start(MariaDB(self._folder / "mariadb"))

    @cached_property
    def redis(self) -> Redis:
        return self._start(Redis(self._folder / "redis"))

    def _start(self, service: S) -> S:
        self._running.callback(service.stop)
        return service.start()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, before pytest picks by marks."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.reliability)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what takes ``shop`` on every set-up; races on naive servers too."""
    if "shop" not in metafunc.fixturenames:
        return
    is_race = metafunc.definition.get_closest_marker("race") is not None
    shops = [_shop(on, "product") for on in SETUPS]
    if is_race:
        shops += [_shop(on, "naive", MUST_FAIL) for on in SETUPS]
    metafunc.parametrize("shop", shops, indirect=True)


def _shop(on: str, kind: str, *marks: pytest.MarkDecorator) -> ParameterSet:
    """Keep what uses one set-up together where tests are spread over processes."""
    group = pytest.mark.xdist_group(f"shop on {on}")
    name = on if kind == "product" else f"{on}-{kind}"
    return pytest.param((on, kind), id=name, marks=(group, *marks))


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The shared services: leave them running, and start your own to break."""
    with ExitStack() as running:
        yield Services(tmp_path_factory.mktemp("services"), running)


@pytest.fixture(scope="session")
def get_shop(
    services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GetShop]:
    """Start each shop when a test asks for it first, and keep it to the end."""
    with ExitStack() as running:

        @cache
        def get(on: str, kind: str) -> Shop:
            folder = tmp_path_factory.mktemp(f"{on}-{kind}")
            database_url, redis_url = urls_of(services, on, kind)
            starting = running_shop(
                folder,
                on=on,
                kind=kind,
                database_url=database_url,
                redis_url=redis_url,
            )
            shop = running.enter_context(starting)
            shop.warm_up()
            return shop

        yield get


def urls_of(services: Services, on: str, kind: str) -> tuple[str | None, str]:
    """Name database and Redis, where each kind of shop has numbers of its own."""
    if on == "sqlite":
        return None, ""
    return services.mariadb.url, f"{services.redis.url}/{KINDS.index(kind)}"


@pytest.fixture
def shop(request: pytest.FixtureRequest, get_shop: GetShop) -> Shop:
    """The shop of the set-up at hand; it is shared, so begin with rows of your own."""
    return get_shop(*request.param)

"""The shop as it is deployed: a proxy, two app servers, MariaDB and Redis.

``make test-topology`` runs this folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..reliability.services import MariaDB, Redis
from ..reliability.shop import Shop
from ..support.server import Site
from .front import Certificate, Front, new_certificate, running_front
from .image import build

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, before pytest picks by marks."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.topology)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the program, in which nobody can write."""
    folder = tmp_path_factory.mktemp("program")
    build(folder)
    yield folder
    # Else pytest could not clear it away.
    for each in (folder, *filter(Path.is_dir, folder.rglob("*"))):
        each.chmod(0o755)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return new_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    mariadb = MariaDB(tmp_path_factory.mktemp("mariadb")).start()
    yield mariadb
    mariadb.stop()


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    yield redis
    redis.stop()


@pytest.fixture(scope="session")
def front(
    program: Path,
    certificate: Certificate,
    mariadb: MariaDB,
    redis: Redis,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Front]:
    """The demo shop without limits; its servers run again after each test."""
    with running_front(
        tmp_path_factory.mktemp("front"),
        program=program,
        certificate=certificate,
        database_url=mariadb.url,
        redis_url=f"{redis.url}/0",
    ) as front:
        front.servers[0].manage("seed_demo", "--force")
        yield front


@pytest.fixture(scope="session")
def limited(
    program: Path,
    certificate: Certificate,
    mariadb: MariaDB,
    redis: Redis,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Front]:
    """An empty shop with the limits of production."""
    with running_front(
        tmp_path_factory.mktemp("limited"),
        program=program,
        certificate=certificate,
        database_url=mariadb.url,
        redis_url=f"{redis.url}/1",
        limits=True,
    ) as limited:
        yield limited


@pytest.fixture
def shop(front: Front) -> Shop:
    return front.shop


# --- What the walkthroughs ask for ----------------------------------------------------


@pytest.fixture
def server(limited: Front) -> Site:
    return limited.site


@pytest.fixture
def demo_server(front: Front) -> Site:
    return front.site

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ..reliability.services import free_port
from ..reliability.shop import Shop, running_shop
from ..support.proxy import Proxy, running_proxy
from ..support.server import COMMAND, Server, running_server
from .nodes import SHIPPED, Cluster, Node

HERE = Path(__file__).parent
LOGINS = 30


#: The property by which a test says what it measured.
MEASURED = "measured"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder, before pytest picks by marks."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.cluster)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, whether the test passed or not."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, line in report.user_properties:
                if name == MEASURED:
                    terminalreporter.write_line(f"{report.head_line}: {line}")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("nodes"))
    with ExitStack() as running:
        running.callback(cluster.stop)
        cluster.start()
        yield cluster


@pytest.fixture(scope="session")
def proxy(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    one, two, three = (f"127.0.0.1:{node.port}" for node in cluster.nodes)
    environment = {
        "DATABASE_BIND": f"127.0.0.1:{free_port()}",
        "NODE_ONE": one,
        "NODE_TWO": two,
        "NODE_THREE": three,
    }
    folder = tmp_path_factory.mktemp("proxy")
    with running_proxy(SHIPPED / "haproxy.cfg", environment, folder) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def database_url(proxy: Proxy) -> str:
    return f"mysql://root@{proxy.environment['DATABASE_BIND']}"


@pytest.fixture(scope="session")
def shop(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose connections spread over all nodes; it is shared by the tests."""
    with running_shop(
        tmp_path_factory.mktemp("shop"),
        on="galera",
        database_url=database_url,
        DATABASE_CLUSTER="galera",
        THROTTLE_LOGIN=f"{LOGINS}/min",
        NUM_PROXIES="1",
    ) as shop:
        shop.warm_up()
        yield shop


@pytest.fixture(scope="session")
def database(shop: Shop) -> str:
    """The name of the shop's database."""
    return database_of(shop.server)


def database_of(server: Server) -> str:
    return server.environment["DATABASE_URL"].rpartition("/")[2]


@pytest.fixture(scope="session")
def branches(
    cluster: Cluster, shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Shop]]:
    """The same shop once more for each of two nodes, on which its server stays."""
    with ExitStack() as running:
        yield [
            running.enter_context(branch(shop, node, tmp_path_factory.mktemp("branch")))
            for node in cluster.nodes[:2]
        ]


@contextmanager
def branch(shop: Shop, node: Node, folder: Path) -> Iterator[Shop]:
    port = free_port()
    environment = {
        **shop.server.environment,
        "DATABASE_URL": f"{node.url}/{database_of(shop.server)}",
        "PORT": str(port),
        "WORKERS": "1",
    }
    server = Server(port, environment, COMMAND, folder / "server.log")
    server.start()
    here = Shop(server, on=node.name, kind=shop.kind)
    try:
        yield here
    finally:
        here.close()
        server.close()
        server.stop()


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    """A server with a database of its own, for a walkthrough that counts rows."""
    with running_server(
        tmp_path,
        database_url=database_url,
        DATABASE_CLUSTER="galera",
        THROTTLE_LOGIN=f"{LOGINS}/min",
    ) as server:
        yield server

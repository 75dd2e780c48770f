from __future__ import annotations

from collections.abc import Iterator

import pytest

from .server import Server, running_server


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The production form with the demo data, for tests that only add to it."""
    with running_server(tmp_path_factory.mktemp("demo")) as server:
        server.manage("seed_demo", "--force")
        yield server

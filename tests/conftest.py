from __future__ import annotations

from collections.abc import Iterator

import pytest

from .support.server import Server, running_server


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The production form with the demo data, for tests that only add to it."""
    # Its tests sign in from one address, together more often than anybody may.
    with running_server(
        tmp_path_factory.mktemp("demo"), THROTTLE_LOGIN="30/min"
    ) as server:
        server.manage("seed_demo", "--force")
        yield server

"""Both walkthroughs, from the migrations on, with every connection on some node."""

from __future__ import annotations

from ..support.server import CREATE_OWNER, Server
from ..test_walkthrough_a import TestSystemA as SystemA
from ..test_walkthrough_b import TestSystemB as SystemB
from .conftest import database_of
from .nodes import Cluster


class TestWalkthrough:
    def test_of_system_a_works(self, cluster: Cluster, server: Server) -> None:
        server.manage(*CREATE_OWNER)

        SystemA().test_works_from_registering_to_deleting(server)

        server.manage("check_invariants")
        cluster.assert_equal(database_of(server))

    def test_of_system_b_works(self, cluster: Cluster, server: Server) -> None:
        server.manage("seed_demo", "--force")

        SystemB().test_works_from_signing_in_to_deleting(server)

        server.manage("check_invariants")
        cluster.assert_equal(database_of(server))

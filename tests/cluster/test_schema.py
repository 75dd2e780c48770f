"""The nodes themselves keep up what the schema promises."""

from __future__ import annotations

import pytest

from ..test_cluster_rules import TABLES
from .nodes import Cluster, Session, sessions


class TestNode:
    @pytest.mark.parametrize(
        "columns",
        ["(id INT) ENGINE = InnoDB", "(id INT PRIMARY KEY) ENGINE = MyISAM"],
        ids=["without a key", "of another engine"],
    )
    def test_takes_no_rows_for_a_table_that_would_differ(
        self, cluster: Cluster, database: str, columns: str
    ) -> None:
        import MySQLdb

        with sessions(cluster.nodes[0], database=database) as (run,):
            with pytest.raises(MySQLdb.Error):
                create_and_fill(run, columns)
            run("DROP TABLE IF EXISTS stray")

    def test_has_only_tables_that_can_be_compared(
        self, cluster: Cluster, database: str
    ) -> None:
        for node in cluster.nodes:
            with sessions(node, database=database) as (run,):
                tables = {name: (engine, key) for name, engine, key in run(TABLES)}

            assert len(tables) > 20
            assert set(tables.values()) == {("InnoDB", 1)}


def create_and_fill(run: Session, columns: str) -> None:
    run(f"CREATE TABLE stray {columns}")
    run("INSERT INTO stray VALUES (1)")

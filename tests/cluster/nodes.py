"""Three nodes of MariaDB with Galera, any of which a test may kill or cut off."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

from ..reliability.load import until
from ..reliability.services import MariaDB, free_port, program
from ..support.server import ROOT

Rows = list[tuple[Any, ...]]
#: Runs a statement with its values and returns the rows.
Session = Callable[..., Rows]

SHIPPED = ROOT / "deploy" / "galera"
NUMBER = 3
SETTLE_SECONDS = 60
#: What each session of the product sets: see DATABASE_CLUSTER in its settings.
CAUSAL = 7
SST_PASSWORD = "a-copy-of-everything"
#: The users that deploy/galera/README.md tells to make.
USERS = (
    # The proxy's, without rights or password: it only asks for the state of the node.
    "CREATE USER haproxy@'127.0.0.1'",
    f"CREATE USER sst@localhost IDENTIFIED BY '{SST_PASSWORD}'",
    "GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, REPLICA MONITOR"
    " ON *.* TO sst@localhost",
)


class Node(MariaDB):
    """One server of a cluster. It takes part once it is in step with the others."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.group_port, self.ist_port, self.sst_port = (free_port() for _ in range(3))
        self._beginning: list[str] = []

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def group_address(self) -> str:
        return f"127.0.0.1:{self.group_port}"

    def command(self) -> list[str]:
        return [
            program("mariadbd", "mariadb-server"),
            f"--defaults-file={self._config}",
            *self._beginning,
        ]

    def start_first(self) -> Self:
        """Start as the first node of a cluster that the others come to."""
        self._beginning = ["--wsrep-new-cluster"]
        return super().start()

    def start(self) -> Self:
        """Start with what the node knows, which after a crash only its tables tell.

        Debian's service does the same: without it, all would be copied each time.
        """
        position = self._recovered_position()
        self._beginning = [f"--wsrep-start-position={position}"] if position else []
        return super().start()

    def _recovered_position(self) -> str:
        if not (self._data / "ibdata1").exists():
            return ""
        command = [*self.command()[:2], "--wsrep-recover"]
        done = subprocess.run(command, capture_output=True, text=True)
        found = re.findall(r"Recovered position: (\S+)", done.stderr)
        return str(found[-1]) if found else ""

    def answers(self) -> bool:
        return self.state == "Synced"

    @property
    def state(self) -> str:
        """What the node says of itself; empty if it says nothing."""
        import MySQLdb

        with suppress(MySQLdb.OperationalError):
            return str(self.status("local_state_comment"))
        return ""

    def status(self, name: str) -> Any:
        ((_, value),) = self.run(f"SHOW GLOBAL STATUS LIKE 'wsrep_{name}'")
        return value

    def number(self, name: str) -> int:
        return int(self.status(name))

    def await_step(self) -> None:
        until(self.answers, SETTLE_SECONDS)

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Let the node run, without hearing from the others."""
        self._isolate(1)
        try:
            yield
        finally:
            self._isolate(0)
            self.await_step()

    def _isolate(self, how: int) -> None:
        self.run(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={how}'")

    def join(self, nodes: list[Node]) -> None:
        """Write the node's own file, as an operator does."""
        group = ",".join(node.group_address for node in nodes)
        options = (
            f"{shipped_provider_options()};base_port={self.group_port};"
            f"gmcast.listen_addr=tcp://{self.group_address};"
            f"ist.recv_addr=127.0.0.1:{self.ist_port}"
        )
        lines = [
            f"!include {SHIPPED / 'node.cnf'}",
            "[mariadbd]",
            f"wsrep_node_name = {self.name}",
            "wsrep_node_address = 127.0.0.1",
            f"wsrep_cluster_address = gcomm://{group}",
            f"wsrep_sst_receive_address = 127.0.0.1:{self.sst_port}",
            f"wsrep_sst_auth = sst:{SST_PASSWORD}",
            f'wsrep_provider_options = "{options}"',
            f"datadir = {self._data}",
            *(["user = root"] if os.geteuid() == 0 else []),
            f"port = {self.port}",
            "bind_address = 127.0.0.1",
            # Relative to the data: the path of a socket must be short.
            *("socket = own.sock", "pid_file = own.pid", "skip_name_resolve"),
            *("performance_schema = OFF", "max_connections = 400"),
            *("innodb_buffer_pool_size = 64M", "innodb_log_file_size = 32M"),
        ]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._config.write_text("\n".join(lines) + "\n")

    def begin_with_data_of(self, other: Node) -> None:
        shutil.copytree(other._data, self._data)

    def lose_data(self) -> None:
        shutil.rmtree(self._data)
        self._data.mkdir()

    @property
    def _config(self) -> Path:
        return self.folder / "own.cnf"


class Cluster:
    """All nodes, and what holds on every one of them or on none."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [Node(folder / name) for name in ("one", "two", "three")]

    def start(self) -> None:
        """Begin with equal data on all nodes, so that none has to be copied."""
        first, *others = self.nodes
        for node in self.nodes:
            node.join(self.nodes)
        first.start_first()
        for statement in USERS:
            first.run(statement)
        first.stop()
        for node in others:
            node.begin_with_data_of(first)
        first.start_first()
        self.start_at_once(others)

    def start_at_once(self, nodes: list[Node]) -> None:
        with ThreadPoolExecutor(len(nodes)) as pool:
            list(pool.map(Node.start, nodes))

    def stop(self) -> None:
        for node in self.nodes[::-1]:
            node.stop()

    def await_step(self) -> None:
        """Wait until all nodes are one cluster and each has applied everything."""
        for node in self.nodes:
            until(
                lambda node=node: (
                    node.answers()  # type: ignore[misc]
                    and node.number("cluster_size") == NUMBER
                ),
                SETTLE_SECONDS,
            )
        for node in self.nodes:
            until(lambda node=node: self._is_even(node))  # type: ignore[misc]

    def _is_even(self, node: Node) -> bool:
        newest = max(each.number("last_committed") for each in self.nodes)
        return node.number("last_committed") == newest

    def conflicts(self) -> int:
        """Count the transactions that were undone because of those of other nodes."""
        figures = ("local_cert_failures", "local_bf_aborts")
        return sum(node.number(name) for node in self.nodes for name in figures)

    def assert_equal(self, database: str) -> None:
        """:raises AssertionError: naming the tables whose rows differ between nodes"""
        self.await_step()
        first, *others = (_checksums(node, database) for node in self.nodes)
        assert len(first) > 20
        for other in others:
            unequal = {table for table in first if other[table] != first[table]}
            assert unequal == set()


@contextmanager
def sessions(
    *nodes: Node, database: str = "", sync_wait: int = 0
) -> Iterator[Sequence[Session]]:
    """Yield a session on each node, isolated as those of the product are."""
    import MySQLdb

    connections = [
        MySQLdb.connect(
            host="127.0.0.1",
            port=node.port,
            user="root",
            database=database,
            autocommit=True,
            init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        )
        for node in nodes
    ]
    try:
        runs = [partial(_run, connection) for connection in connections]
        for run in runs:
            run("SET SESSION wsrep_sync_wait = %s", sync_wait)
        yield runs
    finally:
        for connection in connections:
            connection.close()


def _run(connection: Any, statement: str, *values: int) -> Rows:
    cursor = connection.cursor()
    cursor.execute(statement, values or None)
    return list(cursor.fetchall())


def ledger(node: Node, database: str, part: int) -> tuple[int, int, int]:
    """Return a part's stock, how often it went out, and how many tickets have it."""
    with sessions(node, database=database) as (run,):
        ((stock, out, lines),) = run(LEDGER, part, part, part)
    return stock, out, lines


LEDGER = """
SELECT quantity_in_stock,
    (SELECT COUNT(*) FROM inventory_stockmovement WHERE part_id = %s AND delta < 0),
    (SELECT COUNT(*) FROM tickets_ticketpart WHERE part_id = %s)
FROM inventory_part WHERE id = %s
"""


def _checksums(node: Node, database: str) -> dict[str, object]:
    tables = [name for (name,) in node.run(f"SHOW TABLES IN {database}")]
    names = ", ".join(f"{database}.{table}" for table in tables)
    return {str(name): sum_ for name, sum_ in node.run(f"CHECKSUM TABLE {names}")}


def shipped_provider_options() -> str:
    """Return the options of node.cnf: a node's own ones take the place of them all."""
    shipped = ConfigParser()
    shipped.read(SHIPPED / "node.cnf")
    return shipped["mariadbd"]["wsrep_provider_options"].strip('"')

"""Whoever was told that something is there finds it, on whichever node they look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from ..reliability.load import Answer, at_once, counted
from ..reliability.shop import Shop
from .nodes import CAUSAL, Cluster, Node, Session, sessions

TIMES = 200
#: Any table does; the numbers below are no bucket's.
WRITE = "REPLACE INTO api_rowclaim VALUES (%s, %s)"


class TestReader:
    def test_sees_what_was_written_on_another_node(self, branches: list[Shop]) -> None:
        """Written and read by servers each of which knows one node only."""
        missed = 0
        for number in range(TIMES):
            writer, reader = branches[:: 1 if number % 2 else -1]
            path = f"/customers/{writer.new_customer()}"
            missed += reader.owner.get(path).status != 200

        assert missed == 0

    def test_sees_what_was_written_through_the_proxy(self, shop: Shop) -> None:
        """32 at once, so that most of the readers are on another node."""

        def write_and_read(_: int) -> Answer:
            return shop.owner.get(f"/customers/{shop.new_customer()}")

        answers = [each for _ in range(8) for each in at_once(32, write_and_read)]

        assert counted(answers) == {200: 256}

    def test_sees_each_of_many_writes_on_every_other_node(
        self, cluster: Cluster, database: str
    ) -> None:
        writer, *readers = cluster.nodes
        missed = 0
        with sessions(writer, *readers, database=database, sync_wait=CAUSAL) as (
            write,
            *reads,
        ):
            for number in range(TIMES):
                write(WRITE, 1_000_000, number)
                missed += [seen(read, 1_000_000) for read in reads] != [number] * 2

        assert missed == 0


class TestNodeThatLagsBehind:
    def test_lets_a_reader_wait_for_what_it_must_see(
        self, cluster: Cluster, database: str
    ) -> None:
        writer, _, reader = cluster.nodes
        with (
            sessions(writer, reader, database=database, sync_wait=CAUSAL) as (
                write,
                read,
            ),
            lagging(reader) as catch_up,
        ):
            write(WRITE, 1_000_001, 1)
            with ThreadPoolExecutor(1) as pool:
                reading = pool.submit(seen, read, 1_000_001)
                time.sleep(0.5)
                waits = not reading.done()
                catch_up()
                assert reading.result() == 1

        assert waits

    def test_tells_a_reader_who_does_not_wait_what_is_no_longer_true(
        self, cluster: Cluster, database: str
    ) -> None:
        writer, _, reader = cluster.nodes
        with (
            sessions(writer, reader, database=database, sync_wait=0) as (write, read),
            lagging(reader),
        ):
            write(WRITE, 1_000_002, 1)
            assert seen(read, 1_000_002) is None


@contextmanager
def lagging(node: Node) -> Iterator[Callable[[], object]]:
    """Let a node apply nothing until the function is called, or the block ends.

    It says that it is out of step, so that the others do not wait for it.
    """
    with sessions(node) as (run,):
        run("FLUSH TABLES WITH READ LOCK")
        yield lambda: run("UNLOCK TABLES")
    node.await_step()


def seen(read: Session, bucket: int) -> int | None:
    rows = read("SELECT times FROM api_rowclaim WHERE bucket = %s", bucket)
    return rows[0][0] if rows else None

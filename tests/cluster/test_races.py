"""Everybody at once, on all nodes: what one server promises, three promise too."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from ..reliability.load import Answer, at_once, codes, counted, until
from ..reliability.shop import Shop
from ..reliability.test_limits import log_in, new_address, within_a_minute
from .conftest import LOGINS
from .nodes import Cluster, Node, Session, ledger, sessions

IN_STOCK = 10
LINE = {"quantity_used": 1}
REPLAYED = "Idempotency-Replayed"


def assert_in_order(cluster: Cluster, shop: Shop, database: str) -> None:
    """:raises AssertionError: if the books, or the nodes, do not agree"""
    shop.assert_invariants()
    cluster.assert_equal(database)


class TestStock:
    def test_of_ten_goes_to_ten_of_64_tickets(
        self, cluster: Cluster, shop: Shop, database: str
    ) -> None:
        part = shop.new_part(quantity_in_stock=IN_STOCK)
        tickets = shop.new_tickets(64)

        answers = at_once(
            64,
            lambda i: shop.owner.post(
                f"/service-tickets/{tickets[i]}/parts/{part}", LINE
            ),
        )

        assert counted(answers) == {201: IN_STOCK, 409: 64 - IN_STOCK}
        assert codes(answers) == {"insufficient_stock"}
        assert_in_order(cluster, shop, database)
        for node in cluster.nodes:
            assert ledger(node, database, part) == (0, IN_STOCK, IN_STOCK)

    def test_goes_to_a_ticket_once(
        self, cluster: Cluster, shop: Shop, database: str
    ) -> None:
        part, ticket = shop.new_part(quantity_in_stock=100), shop.new_ticket()
        path = f"/service-tickets/{ticket}/parts/{part}"

        answers = at_once(32, lambda _: shop.owner.post(path, LINE))

        assert counted(answers) == {201: 1, 409: 31}
        assert shop.moved(part) == [-1]
        assert_in_order(cluster, shop, database)


class TestConflict:
    def test_between_nodes_makes_a_transaction_run_again(
        self, cluster: Cluster, shop: Shop
    ) -> None:
        part = shop.new_part()
        path, more = f"/inventory/{part}/adjust-quantity", {"adjustment": 1}
        before = cluster.conflicts()
        commits = [node.number("local_commits") for node in cluster.nodes]

        answers = at_once(48, lambda _: shop.owner.patch(path, more))

        assert counted(answers) == {200: 48}
        assert shop.moved(part) == [1] * 48
        assert cluster.conflicts() > before
        for node, number in zip(cluster.nodes, commits, strict=True):
            assert node.number("local_commits") > number


class TestTwins:
    def test_have_one_effect(self, cluster: Cluster, shop: Shop, database: str) -> None:
        part, ticket = shop.new_part(quantity_in_stock=IN_STOCK), shop.new_ticket()
        path = f"/service-tickets/{ticket}/parts/{part}"
        key = {"Idempotency-Key": uuid4().hex}

        answers = at_once(32, lambda _: shop.owner.post(path, LINE, headers=key))

        done = [answer for answer in answers if answer.status == 201]
        assert counted(answers).keys() <= {201, 409}
        assert codes(answers) <= {"in_progress"}
        assert len({answer.body for answer in done}) == 1
        assert len([each for each in done if REPLAYED not in each.headers]) == 1
        assert shop.moved(part) == [-1]
        assert_in_order(cluster, shop, database)


class TestLimit:
    def test_of_logins_lets_exactly_so_many_pass(self, shop: Shop) -> None:
        def guess_at_once() -> list[Answer]:
            address = new_address()
            return at_once(64, lambda i: log_in(shop, address, f"{i}@example.com"))

        answers = within_a_minute(guess_at_once)

        assert counted(answers) == {401: LOGINS, 429: 64 - LOGINS}


class TestVehicle:
    def test_is_not_sold_while_its_ticket_opens_again(
        self, cluster: Cluster, branches: list[Shop], shop: Shop, database: str
    ) -> None:
        """Either is allowed, both are not, and they write different rows.

        The one who sells has begun on a node that does not hear of the ticket in time.
        """
        vehicle, ticket, buyer = *completed_ticket(shop), shop.new_customer()
        sellers_node, *_ = cluster.nodes
        seller, reopener = branches
        with (
            sessions(sellers_node, database=database) as (rival,),
            ThreadPoolExecutor(1) as pool,
        ):
            rival("BEGIN")
            rival("SELECT id FROM customers_customer WHERE id = %s FOR UPDATE", buyer)
            selling = pool.submit(
                seller.owner.patch, f"/vehicles/{vehicle}", {"customer_id": buyer}
            )
            until(lambda: waiting(sellers_node))
            with sessions(sellers_node, database=database) as (deaf,):
                deaf(NO_NEWS)
                reopened = reopener.owner.patch(
                    f"/service-tickets/{ticket}", {"status": "in_progress"}
                )
                rival("ROLLBACK")
                time.sleep(1)
                deaf("UNLOCK TABLES")
            sold = selling.result()

        assert (reopened.status, sold.status, sold.code) == (200, 409, "in_use")
        assert_in_order(cluster, shop, database)


#: What other nodes commit stops here as soon as it has an event of a ticket in it.
NO_NEWS = "FLUSH TABLES tickets_ticketevent WITH READ LOCK"


def waiting(node: Node) -> bool:
    """Return whether somebody waits for the lock of a row."""
    ((_, number),) = node.run("SHOW STATUS LIKE 'Innodb_row_lock_current_waits'")
    return number != "0"


def completed_ticket(shop: Shop) -> tuple[int, int]:
    """Return a vehicle and its ticket, which may be opened again."""
    vehicle = shop.new_vehicle()
    ticket = shop.new_ticket(vehicle)
    for status in ("in_progress", "completed"):
        shop.owner.patch(f"/service-tickets/{ticket}", {"status": status}).expect(200)
    return vehicle, ticket


class TestLockOfANode:
    def test_keeps_nobody_out_on_another(self, cluster: Cluster, database: str) -> None:
        """Why claims are there: both look at one row, and both may write another."""
        with sessions(*cluster.nodes[:2], database=database) as both:
            both[0](WRITE, 2_000_000)
            cluster.await_step()
            run_each(both, "BEGIN")
            run_each(both, LOCK, 2_000_000)
            for bucket, run in enumerate(both, 2_000_001):
                run(WRITE, bucket)
            run_each(both, "COMMIT")

    def test_loses_to_the_write_of_another(
        self, cluster: Cluster, database: str
    ) -> None:
        import MySQLdb

        with sessions(*cluster.nodes[:2], database=database) as (slow, quick):
            run_each((slow, quick), "BEGIN")
            run_each((slow, quick), WRITE, 2_000_004)
            quick("COMMIT")
            with pytest.raises(MySQLdb.OperationalError, match="1213"):
                slow("COMMIT")


LOCK = "SELECT * FROM api_rowclaim WHERE bucket = %s FOR UPDATE"
WRITE = "REPLACE INTO api_rowclaim VALUES (%s, 1)"


def run_each(sessions: Iterable[Session], statement: str, *values: int) -> None:
    for run in sessions:
        run(statement, *values)

"""The rows of a shop follow from their ids, and its books balance at every scale."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.dataset_size import AMPLE_STOCK, Shop

SCALES = [0.01, 0.05, 0.1, 0.2, 1.0]


class TestShop:
    def test_has_the_promised_rows_at_scale_1(self) -> None:
        shop = Shop()

        assert (shop.customers, shop.tickets) == (20_000, 60_000)
        assert (shop.mechanics, shop.parts) == (200, 2_000)
        assert shop.lines == shop.tickets * 1.5

    def test_has_a_database_for_each_scale(self) -> None:
        names = [Shop(scale).database for scale in (0.1, 1.0, 10)]

        assert names == ["bench_scale_0_1", "bench_scale_1", "bench_scale_10"]

    def test_keeps_its_late_page_in_larger_shops(self) -> None:
        assert [Shop(scale).deep_page for scale in (0.1, 1, 10)] == [190, 1_900, 1_900]


class TestStocks:
    @pytest.mark.parametrize("scale", SCALES)
    def test_count_what_the_tickets_do_one_by_one(self, scale: float) -> None:
        shop = Shop(scale)
        first = shop.ample_parts + 1
        firsts = Counter(
            first + (ticket - 1) % shop.used_parts
            for ticket in range(1, shop.tickets + 1)
        )
        seconds = Counter(
            first + ticket % shop.used_parts for ticket in range(2, shop.tickets + 1, 2)
        )
        returns = Counter(
            first + (ticket - 1) % shop.used_parts
            for ticket in range(9, shop.tickets + 1, 10)
        )

        for stock in shop.stocks():
            assert stock.firsts == firsts[stock.part]
            assert stock.seconds == seconds[stock.part]
            assert stock.returns == returns[stock.part]

    @pytest.mark.parametrize("scale", SCALES)
    def test_are_never_short_on_the_way(self, scale: float) -> None:
        for stock in Shop(scale).stocks():
            after_firsts = stock.initial - stock.quantity * stock.firsts
            after_returns = after_firsts + stock.quantity * stock.returns

            assert after_firsts >= 0
            assert after_returns - stock.quantity * stock.seconds == stock.left

    def test_set_parts_aside_for_the_writes(self) -> None:
        shop = Shop()

        ample = [stock for stock in shop.stocks() if stock.left == AMPLE_STOCK]

        assert [stock.part for stock in ample] == list(range(1, shop.ample_parts + 1))
